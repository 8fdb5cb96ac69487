#!/bin/sh
# Signs the executables for macOS below dist/bin, which the cross-build leaves without a valid signature. By the
# certificate in SIGNING_CERTIFICATE (base64 of a .p12, with SIGNING_PASSWORD and SIGNING_IDENTITY) and notarized with
# NOTARY_KEY, NOTARY_KEY_ID and NOTARY_ISSUER where they are set; else ad hoc, which says that nothing has changed, and
# not who made it. Runs on macOS only.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=parallel-claude-code-mcp
arm=dist/bin/darwin-arm64/$name
intel=dist/bin/darwin-x64/$name
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ -n "${SIGNING_CERTIFICATE:-}" ]; then
  keychain=$scratch/release.keychain-db
  password=$(uuidgen)
  printf %s "$SIGNING_CERTIFICATE" | base64 --decode >"$scratch/certificate.p12"
  security create-keychain -p "$password" "$keychain"
  security unlock-keychain -p "$password" "$keychain"
  security import "$scratch/certificate.p12" -k "$keychain" -P "${SIGNING_PASSWORD:?}" -T /usr/bin/codesign
  security set-key-partition-list -S apple-tool:,apple: -s -k "$password" "$keychain" >/dev/null
  # codesign looks for the chain of the certificate in the searched keychains only.
  security list-keychains -d user -s "$keychain" login.keychain
  codesign --force --timestamp --options runtime --entitlements "$here/entitlements.plist" \
    --identifier "$name" --keychain "$keychain" --sign "${SIGNING_IDENTITY:?}" "$arm" "$intel"
  security delete-keychain "$keychain"
else
  codesign --force --identifier "$name" --sign - "$arm" "$intel"
  echo "Signed ad hoc: no SIGNING_CERTIFICATE is set."
fi

# The gate: nothing goes on that macOS would not run.
codesign --verify --strict --verbose=2 "$arm" "$intel"

if [ -n "${SIGNING_CERTIFICATE:-}" ] && [ -n "${NOTARY_KEY:-}" ]; then
  printf %s "$NOTARY_KEY" >"$scratch/key.p8"
  for one in "$arm" "$intel"; do
    # A bare executable cannot carry the ticket: macOS asks for it at the first start.
    ditto -c -k "$one" "$scratch/program.zip"
    xcrun notarytool submit "$scratch/program.zip" --wait --timeout 30m \
      --key "$scratch/key.p8" --key-id "${NOTARY_KEY_ID:?}" --issuer "${NOTARY_ISSUER:?}" | tee "$scratch/answer"
    grep -q 'status: Accepted' "$scratch/answer" || { echo "Apple did not accept $one." >&2; exit 1; }
  done
fi
