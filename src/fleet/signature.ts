// Signs what passes through Redis, with a key that Redis never sees: access to Redis is not enough to make up or change a
// task or a result.

/** The value with a signature of everything else in it: HMAC-SHA256 in hexadecimal digits. */
export function signed<Value extends object>(value: Value, key: string): Value & { signature: string } {
  return { ...value, signature: signatureOf(value, key) };
}

/** Whether the holder of the key has signed exactly this value. The time does not depend on how much of it is right. */
export function isSigned(value: object, key: string): boolean {
  const given = "signature" in value ? value.signature : undefined;
  if (typeof given !== "string" || !/^[0-9a-f]{64}$/.test(given)) return false;
  return crypto.timingSafeEqual(Buffer.from(given, "hex"), Buffer.from(signatureOf(value, key), "hex"));
}

/** Lets people and programs compare the keys of two machines. Says nothing about the key. */
export function fingerprintOf(key: string): string {
  return new Bun.CryptoHasher("sha256", key).update("fingerprint").digest("hex").slice(0, 8);
}

function signatureOf(value: object, key: string): string {
  const { signature: _, ...rest } = { signature: undefined, ...value };
  return new Bun.CryptoHasher("sha256", key).update(canonicalJson(rest)).digest("hex");
}

/** The same text for the same data, whatever the order of its keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
