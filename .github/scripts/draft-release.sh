#!/bin/sh
# Drafts the release on GitHub with everything that SHA256SUMS names. Run again, it puts a draft right; of a release that is
# published already, it only looks whether it is this one.
#   draft-release.sh v0.2.0, beside dist/, with GH_TOKEN and GH_REPO
set -eu

tag=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# Not `gh release view TAG`, whose failure tells nothing of why.
state=$(gh release list --limit 1000 --json tagName,isDraft --jq ".[] | select(.tagName == \"$tag\") | .isDraft")
if [ "$state" = false ]; then
  gh release download "$tag" --pattern SHA256SUMS --dir "$place"
  cmp "$place/SHA256SUMS" dist/SHA256SUMS || {
    echo "$tag is published with other files. A version is released once: release the next one." >&2
    exit 1
  }
  echo "$tag is published already, with these files."
  exit 0
fi
if [ -z "$state" ]; then
  set -- --draft --verify-tag --title "$tag" --notes-file dist/release-notes.md
  case $tag in *-*) set -- "$@" --prerelease ;; esac
  gh release create "$tag" "$@"
fi
# No path has a blank in it.
sed 's#^[0-9a-f]*  #dist/#' dist/SHA256SUMS | xargs gh release upload "$tag" --clobber dist/SHA256SUMS
