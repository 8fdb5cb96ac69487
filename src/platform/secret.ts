// Secrets: random, and compared in constant time.

/** 256 random bits, in characters that never need quoting. */
export function newSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

/** Whether two secrets are the same. The time depends on neither of them, nor on their lengths. */
export function sameSecret(one: string, other: string): boolean {
  return crypto.timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(secret).digest();
}
