// A session on a far machine, as its runner has it: what it says comes into the transcript here, and what it gets goes
// there, once, however often the connection ends.
import type { Exit } from "../../claude/outcome.ts";
import type { TranscriptReader } from "../../claude/transcript.ts";
import type { ToKeeper } from "../../far/messages.ts";
import { AppendedFile } from "../../platform/appended-file.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { systemCode } from "../../platform/system-error.ts";
import type { HowToEnd, Session } from "../attempt/session-host.ts";

/** Its line to the machine. */
export interface SessionLine {
  host: string;
  send(message: ToKeeper, body?: Uint8Array): void;
  /** Whether the machine has lately answered. */
  isCurrent(): boolean;
  /** Why it cannot be reached, in words for people; undefined if it can. */
  trouble(): string | undefined;
  /** A text with the paths that things have there. */
  there(text: string): string;
  /** Everything of it has come, and it has gone. */
  over(id: string): void;
}

/** Where what it says is written: nowhere if its transcript was removed. */
interface Sink extends Disposable {
  readonly size: number;
  append(bytes: Uint8Array): void;
}

interface Input {
  number: number;
  /** Absent for the end of the input. */
  line?: Uint8Array;
}

export class SshSession {
  readonly ref: { host: string; id: string };
  readonly exited: Promise<Exit>;
  readonly #line: SessionLine;
  readonly #sink: Sink;
  readonly #stderr: string | undefined;
  readonly #exit = Promise.withResolvers<Exit>();
  readonly #swept = Promise.withResolvers<ProcessIdentity[]>();
  /** What is not known to have arrived, in order. */
  #unsaid: Input[] = [];
  #said = 0;
  #isClosed = false;
  #how: HowToEnd | undefined;
  /** What the machine says of its end, which counts once the transcript is here up to that size. */
  #gone: { size: number; exit: Exit; stderr: string } | undefined;
  #left: { size: number; leaked: ProcessIdentity[] } | undefined;
  #hasGone = false;
  #isOver = false;

  /** `transcript`: here; undefined if it was removed. `isNew`: whether it must be made. Throws if it cannot be. */
  constructor(
    line: SessionLine,
    id: string,
    { transcript, stderr, isNew }: { transcript?: string; stderr?: string; isNew: boolean },
  ) {
    this.#line = line;
    this.ref = { host: line.host, id };
    this.#sink = transcript === undefined ? nowhere() : new AppendedFile(transcript, { isNew });
    this.#stderr = stderr;
    this.exited = this.#exit.promise;
  }

  get #id(): string {
    return this.ref.id;
  }

  /** The session, with what reads its transcript here. */
  with(output: TranscriptReader): Session {
    return Object.assign(this.bare(), { output });
  }

  /** The session, without its output. */
  bare(): Omit<Session, "output"> {
    return {
      ref: this.ref,
      exited: this.exited,
      write: (line) => this.#say(new TextEncoder().encode(this.#line.there(line))),
      closeInput: () => this.#close(),
      isCurrent: () => this.#isOver || this.#line.isCurrent(),
      trouble: () => (this.#hasGone ? undefined : this.#line.trouble()),
      end: (how) => this.end(how),
    };
  }

  /** Whether somebody has asked to end it. */
  get isEnding(): boolean {
    return this.#how !== undefined;
  }

  /** There is a new connection: says again what may not have arrived, and reads on from where the transcript is. */
  resume(): void {
    const from = this.#sink.size;
    this.#line.send({ type: "read", id: this.#id, from });
    for (const input of this.#unsaid) this.#sendInput(input);
    if (this.#how) this.#sendEnd(this.#how);
  }

  end(how: HowToEnd = {}): Promise<ProcessIdentity[]> {
    if (!this.#how) {
      this.#how = how;
      void how.answered?.then(() => this.#close());
      this.#sendEnd(how);
    }
    return this.#swept.promise;
  }

  /** Takes in a part of the transcript. What was taken before is skipped, and what lacks is asked for again. */
  take(from: number, bytes: Uint8Array): void {
    const { size } = this.#sink;
    if (from > size) {
      this.#line.send({ type: "read", id: this.#id, from: size });
      return;
    }
    try {
      this.#sink.append(bytes.subarray(Math.min(bytes.length, size - from)));
    } catch (error) {
      // A full disk: the machine keeps what was not taken, and each beat asks again.
      if (systemCode(error) === undefined) throw error;
      this.#isBlocked = true;
      return;
    }
    this.#line.send({ type: "got", id: this.#id, to: this.#sink.size });
    this.#settle();
  }

  #isBlocked = false;

  /** Asks again for what the disk did not take. */
  beat(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#line.send({ type: "read", id: this.#id, from: this.#sink.size });
  }

  took(number: number): void {
    this.#unsaid = this.#unsaid.filter((input) => input.number > number);
  }

  gone(size: number, exit: Exit, stderr: string): void {
    this.#gone = { size, exit, stderr };
    this.#settle();
  }

  swept(size: number, leaked: ProcessIdentity[]): void {
    this.#left = { size, leaked };
    this.#settle();
  }

  /** Nobody will say more of it. `why`: as it had said itself, if anything. */
  lost(why: string): void {
    const size = this.#sink.size;
    this.#gone ??= { size, exit: {}, stderr: why };
    this.#gone.size = Math.min(this.#gone.size, size);
    this.#left = { size, leaked: this.#left?.leaked ?? [] };
    this.#settle();
  }

  // What it says counts only after all that it had said before.
  #settle(): void {
    const { size } = this.#sink;
    if (!this.#hasGone && this.#gone && size >= this.#gone.size) {
      this.#hasGone = true;
      this.#keepStderr(this.#gone.stderr);
      this.#exit.resolve(this.#gone.exit);
    }
    if (this.#isOver || !this.#hasGone || !this.#left || size < this.#left.size) return;
    this.#isOver = true;
    this.#sink[Symbol.dispose]();
    this.#line.over(this.#id);
    this.#swept.resolve(this.#left.leaked);
  }

  // For the reason of a crash. Without it, the reason is only shorter.
  #keepStderr(text: string): void {
    if (this.#stderr === undefined || text === "") return;
    try {
      using file = new AppendedFile(this.#stderr, { isNew: false });
      file.append(new TextEncoder().encode(text));
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }

  #say(line: Uint8Array): void {
    if (this.#isClosed) return;
    const input = { number: ++this.#said, line };
    this.#unsaid.push(input);
    this.#sendInput(input);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const input = { number: ++this.#said };
    this.#unsaid.push(input);
    this.#sendInput(input);
  }

  #sendInput({ number, line }: Input): void {
    const message: ToKeeper = { type: "input", id: this.#id, number, ...(line ? {} : { close: true }) };
    this.#line.send(message, line);
  }

  #sendEnd({ graceMs, isUnasked }: HowToEnd): void {
    this.#line.send({
      type: "end",
      id: this.#id,
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(isUnasked ? { isUnasked } : {}),
    });
  }
}

function nowhere(): Sink {
  let size = 0;
  return {
    get size() {
      return size;
    },
    append: (bytes) => {
      size += bytes.length;
    },
    [Symbol.dispose]: () => undefined,
  };
}
