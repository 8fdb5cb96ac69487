// Reads a transcript as it grows, and the answers in it afterwards.
import { closeDescriptor, openForReading, readAt } from "../platform/files.ts";
import { readAnswerPart } from "./answer-part.ts";
import { type Line, LineCutter } from "./lines.ts";
import { applyLine, newReading, type Reading } from "./reading.ts";

const chunkBytes = 256 * 1024;
/** Longer results are not read whole, in bytes. */
const longestResultBytes = 256 * 1024 * 1024;
// One buffer serves all transcripts of a runner: reads are synchronous, and lines are copied out of it.
const chunk = new Uint8Array(chunkBytes);

/** Follows one transcript. Each `read` takes in what is new. */
export class TranscriptReader implements Disposable {
  readonly reading: Reading = newReading();
  readonly #descriptor: number;
  readonly #cutter = new LineCutter();
  #position = 0;

  constructor(path: string) {
    this.#descriptor = openForReading(path);
  }

  /** Takes in everything written since the last call. True if there was anything. */
  read(): boolean {
    const before = this.#position;
    for (;;) {
      const length = readAt(this.#descriptor, chunk, this.#position);
      if (length === 0) return this.#position > before;
      this.#position += length;
      for (const line of this.#cutter.push(chunk.subarray(0, length))) this.#take(line);
      if (length < chunk.length) return true;
    }
  }

  /** Takes in the rest, including a last line without a newline. Call when the session has ended. */
  finish(): void {
    while (this.read());
    const line = this.#cutter.end();
    if (line) this.#take(line);
  }

  // Results with much data beside their text may lack fields at the ends: those are read whole.
  #take(line: Line): void {
    applyLine(this.reading, line, ({ offset, length }) => {
      const text = readLine(this.#descriptor, offset, Math.min(length + 1, longestResultBytes));
      return { kind: "whole", offset, length, text };
    });
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
  }
}

/** The text of an answer, or the requested part. */
export interface AnswerText {
  text: string;
  /** Whether there is more in the transcript. */
  cut: boolean;
}

/**
 * The text of the `result` line that begins at `offset`: at most `limit` characters (UTF-16 units), reading no more of
 * the line than that takes. Throws if there is no transcript.
 */
export function readAnswer(transcript: string, offset: number, limit: number): AnswerText {
  const { text, length } = readAnswerPart(transcript, offset, { from: 0, characters: limit });
  return { text, cut: length === undefined || length > text.length };
}

function readLine(descriptor: number, offset: number, wanted: number): string {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < wanted) {
    const piece = chunk.subarray(0, Math.min(chunkBytes, wanted - length));
    const read = piece.subarray(0, readAt(descriptor, piece, offset + length));
    const end = read.indexOf(10);
    // A copy, because the buffer is reused.
    pieces.push((end < 0 ? read : read.subarray(0, end)).slice());
    if (end >= 0 || read.length === 0) return Buffer.concat(pieces).toString();
    length += read.length;
  }
  return Buffer.concat(pieces).toString();
}
