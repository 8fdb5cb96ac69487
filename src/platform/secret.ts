// Secrets: made at random, and compared in a time that tells nothing of them.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits, in letters that need no quotes anywhere. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Whether two secrets are the same. How long it takes depends on neither, nor on their lengths. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
