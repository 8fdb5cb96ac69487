#!/bin/sh
# Tries a program for musl in a bare Alpine, with what it says that it needs.
#   try-alpine.sh PROGRAM, which is below this directory
set -eu

# By docker rather than `container:`, in which actions need a Node.js that runs on musl.
docker run --rm --volume "$PWD:/work:ro" --workdir /work alpine:3.22 \
  sh -c 'apk add --no-cache libstdc++ && .github/scripts/try-program.sh "$1"' sh "$1"
