// Secrets: made at random, and compared in a time that tells nothing of them.

/** 256 random bits, in letters that need no quotes anywhere. */
export function newSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

/** Whether two secrets are the same. How long it takes depends on neither, nor on their lengths. */
export function sameSecret(one: string, other: string): boolean {
  return crypto.timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(secret).digest();
}
