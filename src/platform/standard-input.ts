// What was given to this process at its standard input, and how to read it without waiting for ever.
// Bun has no call that gives the kind of a descriptor.
import { fstatSync } from "node:fs";

/** `other`: a device such as `/dev/null`, or nothing at all. */
export type InputKind = "terminal" | "pipe" | "file" | "other";

/** What stands at standard input. */
export function standardInputKind(): InputKind {
  if (process.stdin.isTTY) return "terminal";
  try {
    const found = fstatSync(0);
    if (found.isFIFO() || found.isSocket()) return "pipe";
    return found.isFile() ? "file" : "other";
  } catch {
    // It is closed.
    return "other";
  }
}

/** More was there than may be read. */
export class TooMuchInput extends Error {}

/**
 * All of standard input. Throws `TooMuchInput` beyond `mostBytes`. With `silenceMs`, gives nothing when no byte has
 * come by then: a pipe may stay open though nobody means to write into it.
 */
export async function readStandardInput(
  mostBytes: number,
  silenceMs = Number.POSITIVE_INFINITY,
): Promise<Uint8Array | undefined> {
  const reader = Bun.stdin.stream().getReader();
  const silence = Promise.withResolvers<undefined>();
  const timer = Number.isFinite(silenceMs)
    ? setTimeout(() => silence.resolve(undefined), silenceMs)
    : undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const read = await (length === 0 ? Promise.race([reader.read(), silence.promise]) : reader.read());
      if (read === undefined) return undefined;
      if (read.done) return Buffer.concat(pieces);
      length += read.value.length;
      if (length > mostBytes) throw new TooMuchInput();
      pieces.push(read.value);
    }
  } finally {
    clearTimeout(timer);
    // Who writes into an open pipe is no concern of ours any more.
    void reader.cancel().catch(() => undefined);
  }
}
