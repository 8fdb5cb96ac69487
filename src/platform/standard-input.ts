// What this process got at its standard input, and how to read it without waiting for ever.
// Bun has no call that gives the kind of a descriptor.
import { fstatSync } from "node:fs";

/** `other`: a device such as `/dev/null`, or nothing at all. */
export type InputKind = "terminal" | "pipe" | "file" | "other";

/** What standard input is connected to. */
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

/** Thrown if more came than may be read. */
export class TooMuchInput extends Error {}

/**
 * All of standard input. Throws `TooMuchInput` beyond `mostBytes`. With `silenceMs`, returns undefined if no byte has
 * come by then: a pipe may stay open although nobody writes to it.
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
    // Later bytes in the open pipe do not concern us.
    void reader.cancel().catch(() => undefined);
  }
}
