// A file to which bytes are appended, such as those that come from another machine.
// Bun has no call that appends bytes before it returns, and says how many were taken.
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

const { O_CREAT, O_EXCL, O_WRONLY } = constants;

export class AppendedFile implements Disposable {
  #descriptor: number | undefined;
  #size: number;

  /** Private to the user. With `isNew`, throws if the name is taken; otherwise goes on behind what is there. */
  constructor(path: string, { isNew }: { isNew: boolean }) {
    this.#descriptor = openSync(path, O_WRONLY | O_CREAT | (isNew ? O_EXCL : 0), 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** Appends all of it. Throws if the disk is full, with the size as far as it went; does nothing once it is closed. */
  append(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0 && this.#descriptor !== undefined; ) {
      // At its place, not at the end: a process that was frozen meanwhile writes what its successor has written already.
      const written = writeSync(this.#descriptor, rest, 0, rest.length, this.#size);
      this.#size += written;
      rest = rest.subarray(written);
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
