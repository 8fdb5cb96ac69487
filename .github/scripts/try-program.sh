#!/bin/sh
# Tries a program as its users do: version, handshake, list of tools, and a batch of three where there is a claude.
#   try-program.sh PROGRAM [CLAUDE]
# What `release:verify` does more thoroughly, with no more than a POSIX shell: for a bare container, and for `brew`.
set -eu

program=${1:?try-program.sh PROGRAM [CLAUDE]}
claude=${2:-}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

fail() {
  echo "$program: $1" >&2
  exit 1
}

version=$("$program" --version) || fail "--version ended with $?"
echo "version $version"

request() { printf '{"jsonrpc":"2.0",%s}\n' "$1"; }
{
  request '"id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"try","version":"1"}}'
  request '"method":"notifications/initialized"'
  request '"id":2,"method":"tools/list"'
} | "$program" >"$place/answers" || fail "the MCP server ended with $?"
grep -q '"serverInfo"' "$place/answers" || fail "no answer to initialize: $(cat "$place/answers")"
grep -q 'spawn_parallel_claude_sessions' "$place/answers" || fail "no list of tools: $(cat "$place/answers")"
echo "handshake and list of tools"

if [ -z "$claude" ]; then
  echo "no batch: no claude was named"
  exit 0
fi
mkdir "$place/work"
PARALLEL_CLAUDE_CLAUDE_PATH=$claude
PARALLEL_CLAUDE_STATE_DIRECTORY=$place/state
PARALLEL_CLAUDE_OUTPUT_DIRECTORY=$place/output
PARALLEL_CLAUDE_ALLOWED_ROOTS=$place
export PARALLEL_CLAUDE_CLAUDE_PATH PARALLEL_CLAUDE_STATE_DIRECTORY PARALLEL_CLAUDE_OUTPUT_DIRECTORY PARALLEL_CLAUDE_ALLOWED_ROOTS
"$program" run --json --working-directory "$place/work" 'say one' 'say two' 'say three' >"$place/batch" ||
  fail "the batch ended with $?: $(cat "$place/batch")"
tr -d ' \n' <"$place/batch" | grep -q '"succeeded":3' || fail "not all three succeeded: $(cat "$place/batch")"
echo "a batch of three"
