#!/bin/sh
# Tries on macOS everything that our code assumes about it, and prints each assumption with what it found. The macOS runner
# does this before all tests: where one fails, it says why. Needs Node.js or Bun, and Apple's command line tools.
set -eu

cd "$(dirname "$0")/../.."
[ "$(uname -s)" = Darwin ] || { echo "try-macos.sh runs on macOS only." >&2; exit 2; }
sw_vers
uname -m
csrutil status || true
bun=$(command -v bun) || bun="npx -y bun@1.4.5"
$bun install --frozen-lockfile --silent
exec $bun scripts/macos/probe.ts
