// Buffers for what is written as bytes. A new one for each write would be garbage faster than it is collected.

/** Most result pages fit into one, in bytes. */
const length = 64 * 1024;
/** Those that nobody has at the moment. */
const unused: Uint8Array<ArrayBuffer>[] = [];

/** A buffer that nobody else uses before it is given back, with whatever its last user has put into it. */
export function lentBuffer(): Disposable & { buffer: Uint8Array<ArrayBuffer> } {
  const buffer = unused.pop() ?? new Uint8Array(length);
  return { buffer, [Symbol.dispose]: () => void unused.push(buffer) };
}
