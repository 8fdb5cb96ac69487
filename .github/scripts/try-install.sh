#!/bin/sh
# Installs by dist/install.sh from a server on loopback, as a user does from the release, and tries what it installed.
#   try-install.sh [CLAUDE]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
python3 -m http.server 8932 --bind 127.0.0.1 --directory dist >/dev/null 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$place"' EXIT
curl -fsS --retry 20 --retry-delay 1 --retry-connrefused -o /dev/null http://127.0.0.1:8932/SHA256SUMS
PARALLEL_CLAUDE_DOWNLOADS=http://127.0.0.1:8932 sh dist/install.sh --dir "$place/bin"
"$here/try-program.sh" "$place/bin/claude-code-parallel-mcp-server" "${1:-}"
