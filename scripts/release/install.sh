#!/bin/sh
# Installs parallel-claude-code-mcp for the current user, or upgrades it.
#   install.sh [--dir DIRECTORY] [--version VERSION]
# PARALLEL_CLAUDE_DOWNLOADS names another place to download from: a directory with the archives and SHA256SUMS.
# Everything is in main, so that a download of this script that was cut off does nothing.
set -eu

name=parallel-claude-code-mcp
second=claude-code-parallel-mcp-server
repository=https://github.com/OWNER/parallel-claude-code-mcp

main() {
  directory="${HOME:?HOME is not set}/.local/bin"
  version=latest
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) directory=${2:?--dir needs a directory}; shift 2 ;;
      --version) version=${2:?--version needs a version}; shift 2 ;;
      --help | -h) echo "install.sh [--dir DIRECTORY] [--version VERSION]"; exit 0 ;;
      *) fail "unknown option $1; there are --dir DIRECTORY and --version VERSION" ;;
    esac
  done
  if [ "$version" = latest ]; then base=$repository/releases/latest/download
  else base=$repository/releases/download/v${version#v}; fi
  base=${PARALLEL_CLAUDE_DOWNLOADS:-$base}
  archive=$name-$(platform).tar.gz

  mkdir -p "$directory" 2>/dev/null || fail "$directory cannot be made; choose another one with --dir"
  # Beside the place it goes to, for only within one file system is a move atomic.
  work=$(mktemp -d "$directory/.$name.XXXXXX" 2>/dev/null) ||
    fail "$directory cannot be written; choose another one with --dir"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  download "$base/SHA256SUMS" "$work/SHA256SUMS"
  download "$base/$archive" "$work/$archive"
  expected=$(awk -v file="$archive" '$2 == file { print $1 }' "$work/SHA256SUMS")
  [ -n "$expected" ] || fail "SHA256SUMS of $base does not name $archive"
  actual=$(checksum "$work/$archive")
  [ "$expected" = "$actual" ] ||
    fail "$archive has the checksum $actual and should have $expected: it was cut off or changed; nothing was installed"

  tar -xzf "$work/$archive" -C "$work"
  now=$("$work/$name" --version) || fail "the program does not run on this system; nothing was installed"
  mv -f "$work/$name" "$directory/$name"
  ln -sf "$name" "$work/link"
  mv -f "$work/link" "$directory/$second"
  echo "$name $now is installed: $directory/$name, also as $second."
  case ":$PATH:" in
    *":$directory:"*) ;;
    *) echo "$directory is not on your PATH; put this into your shell's profile: export PATH=\"$directory:\$PATH\"" ;;
  esac
  echo "Your MCP client's configuration:"
  echo "  { \"mcpServers\": { \"claude-code\": { \"command\": \"$directory/$name\", \"args\": [], \"env\": {} } } }"
}

platform() {
  case $(uname -m) in
    x86_64 | amd64) cpu=x64 ;;
    arm64 | aarch64) cpu=arm64 ;;
    *) fail "there is no program for the processor $(uname -m), only for x86_64 and arm64" ;;
  esac
  case $(uname -s) in
    Darwin)
      # Under Rosetta, uname tells the processor that is imitated.
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ] && cpu=arm64
      echo "darwin-$cpu" ;;
    Linux)
      if (ldd --version 2>&1 || true) | grep -qi musl; then echo "linux-$cpu-musl"; else echo "linux-$cpu"; fi ;;
    *) fail "there is no program for $(uname -s) here, only for Linux and macOS; on Windows, use install.ps1" ;;
  esac
}

download() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --retry 2 -o "$2" "$1" || fail "$1 could not be downloaded; nothing was installed"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$2" "$1" || fail "$1 could not be downloaded; nothing was installed"
  else
    fail "neither curl nor wget is here to download with"
  fi
}

checksum() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 "$1" | cut -d ' ' -f 1
  else fail "neither sha256sum nor shasum is here to check the download with"; fi
}

fail() {
  echo "install.sh: $1." >&2
  exit 1
}

main "$@"
