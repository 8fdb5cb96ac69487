// Reads a transcript as it grows, and the answers in it afterwards.
import { readAnswerPart } from "./answer-part.ts";
import type { Line } from "./lines.ts";
import { applyLine, newReading, type Reading } from "./reading.ts";
import { TranscriptLines } from "./transcript-lines.ts";

/** Longer results are not read whole, in bytes. */
const longestResultBytes = 256 * 1024 * 1024;

/** Follows one transcript. Each `read` takes in what is new. */
export class TranscriptReader implements Disposable {
  readonly reading: Reading;
  readonly #lines: TranscriptLines;
  #end: number;

  /** `from`: where the conversation begins in it, in bytes. `reading`: what is known of it. */
  constructor(path: string, { from = 0, reading }: { from?: number; reading?: Reading } = {}) {
    this.reading = reading ?? { ...newReading(), firstResult: from > 0 ? undefined : 0 };
    this.#lines = new TranscriptLines(path, { from });
    this.#end = from;
  }

  /** Where the last line that was read ends, in bytes. */
  get end(): number {
    return this.#end;
  }

  /** Takes in everything written since the last call. True if there was anything. */
  read(): boolean {
    const before = this.#lines.position;
    for (const line of this.#lines.fresh()) this.#take(line);
    return this.#lines.position > before;
  }

  /** Takes in the rest, including a last line without a newline. Call when the session has ended. */
  finish(): void {
    for (const line of this.#lines.rest()) this.#take(line);
  }

  // Results with much data beside their text may lack fields at the ends: those are read whole.
  #take(line: Line): void {
    this.#end = line.offset + line.length + 1;
    applyLine(this.reading, line, ({ offset, length }) => {
      const text = this.#lines.textAt(offset, Math.min(length + 1, longestResultBytes));
      return { kind: "whole", offset, length, text };
    });
  }

  [Symbol.dispose](): void {
    this.#lines[Symbol.dispose]();
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
