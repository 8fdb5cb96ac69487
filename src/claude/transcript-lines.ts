// Reads a transcript while it grows: its bytes, its lines, or the text of one line.
import { closeDescriptor, openForReading, readAt } from "../platform/files.ts";
import { type Line, LineCutter } from "./lines.ts";

/** How much is read at once. */
export const chunkBytes = 256 * 1024;
// One buffer serves all transcripts of a process: reads are synchronous, and lines are copied out of it.
const chunk = new Uint8Array(chunkBytes);

// At most `wanted` bytes, none at the end of the file. The next call overwrites them.
function bytesAt(descriptor: number, position: number, wanted = chunkBytes): Uint8Array {
  const buffer = wanted > chunkBytes ? new Uint8Array(wanted) : chunk.subarray(0, wanted);
  return buffer.subarray(0, readAt(descriptor, buffer, position));
}

// The same, with as many as there are, however few a file system gives at once.
function allBytesAt(descriptor: number, position: number, wanted: number): Uint8Array {
  const first = bytesAt(descriptor, position, wanted);
  if (first.length === 0 || first.length === wanted) return first;
  const whole = new Uint8Array(wanted);
  whole.set(first);
  for (let length = first.length; ; ) {
    const more = length < wanted ? readAt(descriptor, whole.subarray(length), position + length) : 0;
    if (more === 0) return whole.subarray(0, length);
    length += more;
  }
}

/** The part of a transcript that is one attempt's, in bytes from its beginning. By default, all of it. */
export interface TranscriptRange {
  from?: number | undefined;
  to?: number | undefined;
}

/** The part of a transcript in which the conversation of an attempt is. */
export function rangeOf({
  offset,
  transcriptEnd,
}: {
  offset?: number | undefined;
  transcriptEnd?: number | undefined;
}): TranscriptRange {
  return { from: offset, to: transcriptEnd };
}

/** Reads a transcript line by line while it grows. The constructor throws if there is no file. */
export class TranscriptLines implements Disposable {
  readonly #descriptor: number;
  readonly #cutter: LineCutter;
  #position: number;
  #end: number;
  #last = Number.POSITIVE_INFINITY;

  constructor(path: string, { from = 0, to = Number.POSITIVE_INFINITY }: TranscriptRange = {}) {
    this.#cutter = new LineCutter({ offset: from });
    this.#position = from;
    this.#end = to;
    this.#descriptor = openForReading(path);
  }

  /** Where the part that is read ends, as far as that is known. It may grow. */
  endAt(position: number): void {
    this.#end = Math.min(position, this.#last);
  }

  /** Where it ends for good. */
  stopAt(position: number): void {
    this.#last = position;
    this.endAt(position);
  }

  /** Where the next bytes to read are. */
  get position(): number {
    return this.#position;
  }

  /** The new bytes, in pieces. For readers that want no lines. */
  *pieces(): Generator<Uint8Array> {
    for (const piece of this.#read({ toEnd: true })) yield piece.slice();
  }

  /** The new complete lines. */
  *fresh({ toEnd = false } = {}): Generator<Line> {
    for (const piece of this.#read({ toEnd })) yield* this.#cutter.push(piece);
  }

  /** What is left at the end: the new lines, and a last one without a newline. */
  *rest(): Generator<Line> {
    yield* this.fresh({ toEnd: true });
    const line = this.#cutter.end();
    if (line) yield line;
  }

  /** The text of the line that begins at an offset, or its first `bytes`. */
  textAt(offset: number, bytes: number): string {
    return new LineText(this.#descriptor, offset).next(bytes);
  }

  // `toEnd`: nobody reads later what a file system has not given yet.
  *#read({ toEnd }: { toEnd: boolean }): Generator<Uint8Array> {
    for (;;) {
      const wanted = Math.min(chunkBytes, this.#end - this.#position);
      const bytes = wanted > 0 ? bytesAt(this.#descriptor, this.#position, wanted) : chunk.subarray(0, 0);
      if (bytes.length === 0) return;
      this.#position += bytes.length;
      yield bytes;
      if (!toEnd && bytes.length < wanted) return;
    }
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
  }
}

/** The text of the line that begins at an offset, in pieces that never cut a character. */
export class LineText {
  readonly #descriptor: number;
  readonly #decoder = new TextDecoder();
  #position: number;
  #ended = false;

  constructor(descriptor: number, offset: number) {
    this.#descriptor = descriptor;
    this.#position = offset;
  }

  /** Whether the end of the line or the file was read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The text of the next bytes, at most `wanted`. */
  next(wanted: number): string {
    const bytes = allBytesAt(this.#descriptor, this.#position, wanted);
    this.#position += bytes.length;
    const end = bytes.indexOf(10);
    this.#ended = end >= 0 || bytes.length === 0;
    return this.#decoder.decode(end < 0 ? bytes : bytes.subarray(0, end), { stream: !this.#ended });
  }
}
