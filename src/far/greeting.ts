// How the far side's first words are found: a login shell there may print others before them.
import { product } from "../model/product.ts";

/** The version of the messages. Both sides must have the same. */
export const protocol = 1;

/** The line behind which frames begin. */
export const greeting = `${product.name} ${protocol} frames\n`;

const greetingBytes = new TextEncoder().encode(greeting);

/** Most that may stand before it, in bytes. */
export const mostBefore = 64 * 1024;

/** Skips what stands before the greeting. */
export class Greeted {
  #before: Uint8Array = new Uint8Array(0);
  #isFound = false;

  /** Whether the greeting has come. */
  get isFound(): boolean {
    return this.#isFound;
  }

  /** What came instead so far, for people. */
  get words(): string {
    return new TextDecoder().decode(this.#before).trim();
  }

  /** What of these bytes is behind the greeting. Throws if too much came without one. */
  push(piece: Uint8Array): Uint8Array {
    if (this.#isFound) return piece;
    const all = Buffer.concat([this.#before, piece]);
    const at = all.indexOf(greetingBytes);
    if (at >= 0) {
      this.#isFound = true;
      return all.subarray(at + greetingBytes.length);
    }
    this.#before = all;
    if (all.length > mostBefore) throw new Error(`no greeting within ${mostBefore} bytes`);
    return all.subarray(0, 0);
  }
}
