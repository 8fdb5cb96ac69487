#!/bin/sh
# Puts a formula into a tap, and the link by which the tap offers it under its second name.
#   put-into-tap.sh FORMULA TAP
set -eu

mkdir -p "$2/Formula" "$2/Aliases"
cp "$1" "$2/Formula/"
ln -sfn "../Formula/$(basename "$1")" "$2/Aliases/claude-code-parallel-mcp-server"
