#!/bin/sh
# Opens a pull request in the tap with the formula of a release. Run again, it finds what it did.
#   change-tap.sh v0.2.0 OWNER/homebrew-tap, beside dist/, with GH_TOKEN for the tap
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tag=$1
tap=$2
name=parallel-claude-code-mcp
version=${tag#v}
branch=$name-$version
formula=$PWD/dist/homebrew/$name.rb

case $version in *-*) echo "$version is a prerelease, and those do not go into the tap."; exit 0 ;; esac
if [ -z "${GH_TOKEN:-}" ]; then
  echo "There is no token for $tap: add TAP_TOKEN to the environment tap and run this job again, or put $name.rb of the release into the tap by hand." >&2
  exit 1
fi
[ -f "$formula" ] || { echo "$formula is missing: release:build --pack writes it." >&2; exit 1; }

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
gh auth setup-git
gh repo clone "$tap" "$place/tap" -- --quiet
"$here/put-into-tap.sh" "$formula" "$place/tap"
cd "$place/tap"
git add Formula Aliases
if git diff --cached --quiet; then
  echo "The tap has the formula of $version already."
  exit 0
fi
git switch --quiet --create "$branch"
git -c user.name="github-actions[bot]" -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
  commit --quiet --message "$name $version"
# The branch of an earlier try holds the same, or less.
git push --quiet --force origin "$branch"
if [ "$(gh pr list --repo "$tap" --head "$branch" --state open --json number --jq length)" = 0 ]; then
  gh pr create --repo "$tap" --head "$branch" --title "$name $version" \
    --body "https://github.com/${GITHUB_REPOSITORY:-}/releases/tag/$tag"
fi
