#!/bin/sh
# Installs parallel-claude-code-mcp for the current user, or upgrades it.
#   install.sh [--dir DIRECTORY] [--version VERSION]
# PARALLEL_CLAUDE_DOWNLOADS names another place to download from: a directory with the archives and SHA256SUMS.
# Everything is in functions, and the last line in braces, so that a download of this script that was cut off does nothing.
set -eu

name=parallel-claude-code-mcp
second=claude-code-parallel-mcp-server
short=pcc
repository=https://github.com/OWNER/parallel-claude-code-mcp
usage='install.sh [--dir DIRECTORY] [--version VERSION]'

main() {
  read_options "$@"
  archive=$name-$(platform).tar.gz
  work='' child='' existing=''
  trap clean_up EXIT
  trap 'stop 129' HUP
  trap 'stop 130' INT
  trap 'stop 143' TERM
  make_directory

  say "Downloading $base/$archive"
  download SHA256SUMS
  download "$archive"
  check
  unpack
  # Each takes its place in one step: who runs the earlier program keeps it.
  mv -f "$work/$name" "$directory/$name"
  mv -f "$work/$second" "$directory/$second"
  link_short
  tell
}

read_options() {
  directory='' version=latest
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) directory=$(value_of "$@"); shift 2 ;;
      --version) version=$(value_of "$@"); shift 2 ;;
      --help | -h) echo "$usage"; exit 0 ;;
      *) fail "there is no option $1: $usage" ;;
    esac
  done
  if [ -z "$directory" ]; then
    [ -n "${HOME-}" ] || fail "HOME is not set, so the directory must be named: --dir DIRECTORY"
    directory=$HOME/.local/bin
  fi
  [ "$directory" = "$(printf '%s' "$directory" | tr -d '[:cntrl:]')" ] ||
    fail "the name of the directory has a line break or another control character in it"
  case $directory in /*) ;; *) directory=$(pwd)/$directory ;; esac
  base=$repository/releases/latest/download
  [ "$version" = latest ] || base=$repository/releases/download/v${version#v}
  base=${PARALLEL_CLAUDE_DOWNLOADS:-$base}
  base=${base%/}
}

value_of() {
  [ -n "${2-}" ] || fail "$1 needs a value: $usage"
  say "$2"
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
      if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then cpu=arm64; fi
      echo "darwin-$cpu" ;;
    Linux) if uses_musl; then echo "linux-$cpu-musl"; else echo "linux-$cpu"; fi ;;
    *) fail "there is no program for $(uname -s) here, only for Linux and macOS; on Windows, use install.ps1" ;;
  esac
}

# The ldd of musl tells its name and fails. Where there is no ldd, the loaders tell: a system of glibc may have that of musl
# beside its own.
uses_musl() {
  if command -v ldd >/dev/null 2>&1; then
    (ldd --version 2>&1 || true) | grep -qi musl
  elif [ -n "$(ls -d /lib/ld-linux-* /lib64/ld-linux-* 2>/dev/null || true)" ]; then
    false
  else
    ls -d /lib/ld-musl-* >/dev/null 2>&1
  fi
}

make_directory() {
  made=$directory existing=$directory
  until [ -d "$existing" ]; do existing=$(dirname "$existing"); done
  mkdir -p "$directory" 2>/dev/null || fail "$directory cannot be made; choose another directory with --dir"
  directory=$(cd "$directory" && pwd) || fail "$made cannot be entered; choose another directory with --dir"
  # Beside the place it goes to, for only within one file system is a move atomic.
  work=$(mktemp -d "$directory/.$name.XXXXXX" 2>/dev/null) ||
    fail "$directory cannot be written; choose another directory with --dir"
  for taken in "$directory/$name" "$directory/$second"; do
    if [ -d "$taken" ]; then fail "$taken is a directory; choose another one for the program with --dir"; fi
  done
}

# In the background, for a shell hears a signal only between two programs, or while it waits.
download() {
  if command -v curl >/dev/null 2>&1; then
    case $base in https:*) only=https ;; *) only=http,https,file ;; esac
    curl -fsSL --proto "=$only" --retry 2 -o "$work/$1" "$base/$1" &
  elif command -v wget >/dev/null 2>&1; then wget -q -t 3 -O "$work/$1" "$base/$1" &
  else fail "neither curl nor wget is here to download with"; fi
  child=$!
  wait "$child" || { child='' && fail "$base/$1 could not be downloaded; nothing was installed"; }
  child=''
}

check() {
  expected=$(awk -v file="$archive" '$2 == file { print $1; exit }' "$work/SHA256SUMS")
  [ -n "$expected" ] || fail "SHA256SUMS of $base does not name $archive; nothing was installed"
  actual=$(checksum <"$work/$archive")
  [ "$expected" = "$actual" ] ||
    fail "$archive has the checksum $actual and should have $expected: it was cut off or changed; nothing was installed"
}

checksum() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 | cut -d ' ' -f 1
  else fail "neither sha256sum nor shasum is here to check the download with"; fi
}

unpack() {
  # Not with -C, for GNU tar takes a backslash in that name for the beginning of an escape.
  (cd "$work" && tar -xzf "$archive" "$name") || fail "$archive cannot be unpacked; nothing was installed"
  ln -s "$name" "$work/$second" || fail "$directory takes no links; choose another directory with --dir"
  # Its input may be this script.
  now=$("$work/$name" --version </dev/null) || fail "the program does not run on this system; $(needs); nothing was installed"
  [ "$version" = latest ] || [ "$now" = "${version#v}" ] ||
    fail "$base has version $now, not ${version#v}; nothing was installed"
}

# What the programs ask of a system, beside its processor.
needs() {
  case $archive in
    *-musl.*) say "it needs libstdc++ (on Alpine: apk add libstdc++)" ;;
    *-linux-*) say "it needs glibc 2.17 or newer" ;;
    *) say "it needs macOS 13 or newer" ;;
  esac
}

# A C compiler has the same short name. Whatever has it already keeps it, in this directory and on the PATH.
link_short() {
  other=$directory/$short
  if [ ! -e "$other" ] && [ ! -L "$other" ]; then
    other=$(command -v "$short" || true)
    [ -n "$other" ] || { ln -s "$name" "$directory/$short" 2>/dev/null && other=$directory/$short; }
  fi
  # Every sh that there is knows -ef, and POSIX since 2024.
  # shellcheck disable=SC3013
  if [ "$other" -ef "$directory/$name" ]; then has_short=yes; else has_short=no; fi
}

tell() {
  if [ "$has_short" = yes ]; then
    say "$name $now is installed: $directory/$name, also as $second and $short."
  else
    say "$name $now is installed: $directory/$name, also as $second."
    say "The short name $short was not installed, because another program has it: $other"
  fi
  program=$(quoted "$directory/$name")
  found=$(command -v "$name" || true)
  # Every sh that there is knows -ef, and POSIX since 2024.
  # shellcheck disable=SC3013
  if [ -z "$found" ]; then
    say "$directory is not on your PATH. To put it there, add this to your shell's profile:"
    path_line
  elif ! [ "$found" -ef "$directory/$name" ]; then
    say "Another installation comes first on your PATH: $found. Remove it, or put this into your shell's profile:"
    path_line
  fi
  say "To add it to an MCP client, after a look at what changes:"
  say "  $program install                         lists the clients of this machine"
  say "  $program install --client claude-code"
  say "Or put it into the client's configuration yourself:"
  say "  { \"mcpServers\": { \"claude-code\": { \"command\": $(json "$directory/$name"), \"args\": [], \"env\": {} } } }"
  removal="rm $program $(quoted "$directory/$second")"
  # shellcheck disable=SC3013
  if [ "$directory/$short" -ef "$directory/$name" ]; then removal="$removal $(quoted "$directory/$short")"; fi
  say "To remove it: $removal"
}

path_line() {
  case ${SHELL-} in
    */fish) say "  fish_add_path --prepend $(quoted "$directory")" ;;
    *) say "  export PATH=$(quoted "$directory"):\"\$PATH\"" ;;
  esac
}

# As a shell reads it.
quoted() {
  case $1 in
    *[!A-Za-z0-9/._+@%-]*) say "$1" | sed "s/'/'\\\\''/g; s/^/'/; s/\$/'/" ;;
    *) say "$1" ;;
  esac
}

# As JSON has it.
json() {
  say "$1" | sed 's/[\\"]/\\&/g; s/^/"/; s/$/"/'
}

# Not echo, which takes a backslash for the beginning of an escape in some shells.
say() {
  printf '%s\n' "$1"
}

# However it ends. A directory that was made for nothing goes, too.
clean_up() {
  if [ -n "$child" ]; then kill "$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; fi
  [ -z "$work" ] || rm -rf "$work"
  [ -n "$existing" ] || return 0
  until [ "$made" = "$existing" ]; do
    rmdir "$made" 2>/dev/null || true
    made=$(dirname "$made")
  done
}

# By a signal. mksh would lose the status in a trap of EXIT.
stop() {
  trap - EXIT
  clean_up
  exit "$1"
}

fail() {
  say "install.sh: $1." >&2
  exit 1
}

{ main "$@"; }
