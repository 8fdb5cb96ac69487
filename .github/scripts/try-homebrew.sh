#!/bin/sh
# Installs the formula in dist/homebrew by brew, from the archives beside it, and runs its own test. Homebrew takes
# formulae out of taps only, so it gets a tap for the time of this.
set -eu

name=parallel-claude-code-mcp
dist=$(cd dist && pwd)
tap=$(brew --repository)/Library/Taps/release/homebrew-try
trap 'brew uninstall --force "$name" >/dev/null 2>&1 || true; rm -rf "$tap"' EXIT

mkdir -p "$tap/Formula" "$tap/Aliases"
sed "s#https://github.com/[^\"]*/releases/download/[^/\"]*/#file://$dist/#" "$dist/homebrew/$name.rb" >"$tap/Formula/$name.rb"
ln -sfn "../Formula/$name.rb" "$tap/Aliases/claude-code-parallel-mcp-server"
git -C "$tap" init --quiet
git -C "$tap" add --all
git -C "$tap" -c user.name=try -c user.email=try@localhost commit --quiet --message "The formula of this release"
# Homebrew 6 asks for trust in a tap of somebody else; older ones do not know the command.
brew trust release/try 2>/dev/null || true
export HOMEBREW_NO_AUTO_UPDATE=1 HOMEBREW_NO_INSTALL_FROM_API=1
brew style "release/try/$name" || echo "brew style has remarks, which stop nothing."
brew install "release/try/$name"
brew test "release/try/$name"
"$(dirname "$0")/try-program.sh" "$(brew --prefix)/bin/claude-code-parallel-mcp-server"
