// A session forgets its conversation, so that its process can run another task: `/clear`, until what it says to that is read.
import { systemCode } from "../platform/system-error.ts";
import { clearLine } from "./arguments.ts";
import type { InitMessage } from "./message.ts";
import { newReading, nextReading, type Reading } from "./reading.ts";
import { TranscriptReader } from "./transcript.ts";
import { whyChanged } from "./why-not-reused.ts";

/** How long `/clear` may take, in milliseconds. It takes 30 to 200. */
const longestMs = 10_000;

/** The new conversation of a process. */
export interface Cleared {
  sessionId: string;
  /** Where it begins in the transcript, in bytes. */
  offset: number;
  /** What it says, from there on. The owner of it disposes of this. */
  output: TranscriptReader;
}

interface Clearable {
  write(line: string): void;
  exited: Promise<unknown>;
}

interface Before {
  transcript: string;
  /** What was read of it, and up to where, in bytes. */
  reading: Reading;
  end: number;
  /** The first introduction of the process. */
  began: InitMessage;
}

export class Clearing {
  readonly #before: Before;
  readonly #reader: TranscriptReader;
  readonly #cleared = Promise.withResolvers<Cleared | undefined>();
  readonly #timer: Timer;
  #isOver = false;

  /** Sends `/clear`. Throws a system error, and sends nothing, if the transcript cannot be opened. */
  constructor(session: Clearable, before: Before) {
    this.#before = before;
    // Beginning behind the answer, the reset is the beginning, and not the end of what counts.
    const reading = { ...newReading(), firstResult: undefined };
    this.#reader = new TranscriptReader(before.transcript, { from: before.end, reading });
    this.#timer = setTimeout(() => this.#finish(undefined), longestMs);
    void session.exited.then(() => this.#finish(undefined));
    session.write(clearLine);
  }

  /** Resolves with the new conversation; with undefined if the process must not be used again. */
  get ended(): Promise<Cleared | undefined> {
    return this.#cleared.promise;
  }

  /** Reads what is new in the transcript. */
  read(): void {
    if (this.#isOver || !this.#reader.read()) return;
    const { last, init } = this.#reader.reading;
    if (last && init) this.#finish(this.#clearedNow());
  }

  /** It must not be used again, whatever it says. */
  abandon(): void {
    this.#finish(undefined);
  }

  #clearedNow(): Cleared | undefined {
    const { began, reading: before } = this.#before;
    const { last, init, turnIsOpen, foreignResults, earlier, hasHooks, background } = this.#reader.reading;
    const sessionId = last?.session_id;
    // A turn of its own, because work in the background has ended, is none of what `/clear` says.
    const isClear = last?.num_turns === 0 && !last.is_error && earlier.length + foreignResults === 0;
    if (!isClear || !init || turnIsOpen || hasHooks || background.open.size > 0) return undefined;
    const isNew = sessionId !== undefined && sessionId !== before.last?.session_id;
    if (!isNew || whyChanged(began, init) !== undefined) return undefined;
    const { result_index: index } = last;
    const firstResult = index === undefined ? undefined : index + 1;
    const offset = this.#reader.end;
    const output = this.#opened(offset, nextReading({ before, firstResult }));
    return output && { sessionId, offset, output };
  }

  // Undefined if somebody has removed the transcript, or too many files are open.
  #opened(from: number, reading: Reading): TranscriptReader | undefined {
    try {
      return new TranscriptReader(this.#before.transcript, { from, reading });
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    }
  }

  #finish(cleared: Cleared | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#reader[Symbol.dispose]();
    this.#cleared.resolve(cleared);
  }
}
