#!/bin/sh
# Installs the formula in dist/homebrew by brew, from the archives beside it, and runs its own test. Homebrew takes
# formulae out of taps only, so it gets a tap for the time of this. Beside dist/; `release:verify` runs it.
set -eu

name=parallel-claude-code-mcp
here=$(cd "$(dirname "$0")" && pwd)
dist=$(cd dist && pwd)
# Else what is removed in the end would be somebody's.
if brew list --versions "$name" >/dev/null 2>&1; then
  echo "brew has a $name already: uninstall that first." >&2
  exit 1
fi
tap=$(brew --repository)/Library/Taps/release/homebrew-try
place=$(mktemp -d)
trap 'brew uninstall --force "$name" >/dev/null 2>&1 || true; rm -rf "$tap" "$place"' EXIT

sed "s#https://github.com/[^\"]*/releases/download/[^/\"]*/#file://$dist/#" "$dist/homebrew/$name.rb" >"$place/$name.rb"
mkdir -p "$tap"
"$here/put-into-tap.sh" "$place/$name.rb" "$tap"
git -C "$tap" init --quiet
git -C "$tap" add --all
git -C "$tap" -c user.name=try -c user.email=try@localhost commit --quiet --message "The formula of this release"
# Homebrew 6 asks for trust in a tap of somebody else; older ones do not know the command.
brew trust release/try 2>/dev/null || true
export HOMEBREW_NO_AUTO_UPDATE=1 HOMEBREW_NO_INSTALL_FROM_API=1
brew style "release/try/$name" || echo "brew style has remarks, which stop nothing."
brew install "release/try/$name"
brew test "release/try/$name"
"$here/try-program.sh" "$(brew --prefix)/bin/claude-code-parallel-mcp-server"
