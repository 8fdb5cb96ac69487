// A session on a far machine, as its runner has it: what it says comes into the transcript here, and what it gets goes
// there, once, however often the connection ends.
import type { Exit } from "../../claude/outcome.ts";
import type { TranscriptReader } from "../../claude/transcript.ts";
import type { ToKeeper } from "../../far/messages.ts";
import { AppendedFile } from "../../platform/appended-file.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { systemCode } from "../../platform/system-error.ts";
import type { HowToEnd, Session } from "../attempt/session-host.ts";

/** How long the rest of an ended session is waited for while its machine answers, in milliseconds. */
const restMs = 60_000;

/** Its line to the machine. */
export interface SessionLine {
  host: string;
  send(message: ToKeeper, body?: Uint8Array): void;
  /** Whether the machine has lately answered. */
  isCurrent(): boolean;
  /** Why it cannot be reached, in words for people; undefined if it can. */
  trouble(): string | undefined;
  /** A line of JSON with the paths that things have there. */
  there(line: string): string;
  /** Everything of it has come, and it has gone. */
  over(id: string): void;
}

/** Where what it says is written: nowhere if its transcript was removed. */
interface Sink extends Disposable {
  readonly size: number;
  append(bytes: Uint8Array): void;
}

/** How its process has gone. `isLapsed`: because nobody had it any more. */
interface Gone {
  size: number;
  exit: Exit;
  stderr: string;
  isLapsed?: boolean | undefined;
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
  readonly #patienceMs: number;
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
  /** What the disk here did not take. Until it does, nothing else is taken. */
  #untaken: Uint8Array | undefined;
  /** Whether something was left out. */
  #isBehind = false;
  /** How long the transcript was there when this connection began; unknown at first. */
  #at: { size: number; isGone: boolean } | undefined;
  #isLost = false;
  #isGivenUp = false;
  #isOver = false;
  /** When something of its transcript last came, on the monotonic clock, in milliseconds. */
  #cameAt = performance.now();

  /**
   * `transcript`: here; undefined if it was removed. `isNew`: whether it must be made. `patienceMs`: how long the rest of it is
   * waited for once it has ended, while its machine answers. Throws if it cannot be made.
   */
  constructor(
    line: SessionLine,
    id: string,
    {
      transcript,
      stderr,
      isNew,
      patienceMs = restMs,
    }: { transcript?: string; stderr?: string; isNew: boolean; patienceMs?: number },
  ) {
    this.#line = line;
    this.#patienceMs = patienceMs;
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
      isCurrent: () => this.#isOver || (this.#line.isCurrent() && this.#hasCaughtUp),
      isLost: () => this.#isLost,
      isGivenUp: () => this.#isGivenUp,
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
    this.#at = undefined;
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
    if (this.#untaken) return;
    const { size } = this.#sink;
    this.#isBehind = from > size;
    if (!this.#isBehind) this.#append(bytes.subarray(Math.min(bytes.length, size - from)));
  }

  /** Tries again what the disk did not take, and asks for what has come meanwhile. */
  beat(): void {
    this.#checkRest();
    if (this.#untaken) {
      if (!this.#append(this.#untaken)) return;
      this.#isBehind = true;
    }
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#line.send({ type: "read", id: this.#id, from: this.#sink.size });
  }

  // A machine that announces more than it has would be waited for without end.
  #checkRest(): void {
    const announced = Math.max(this.#gone?.size ?? 0, this.#left?.size ?? 0);
    if (this.#untaken || announced <= this.#sink.size || !this.#line.isCurrent()) return;
    if (performance.now() - this.#cameAt > this.#patienceMs)
      this.lost(`${this.#line.host} did not send the rest of what it said.`);
  }

  /** How long its transcript is there, and whether its process has gone. */
  at(size: number, isGone: boolean): void {
    this.#at = { size, isGone };
  }

  // False if the disk is full. The machine keeps what was not taken.
  #append(bytes: Uint8Array): boolean {
    const before = this.#sink.size;
    this.#untaken = undefined;
    try {
      this.#sink.append(bytes);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      this.#untaken = bytes.slice(this.#sink.size - before);
      return false;
    }
    this.#cameAt = performance.now();
    this.#line.send({ type: "got", id: this.#id, to: this.#sink.size });
    this.#settle();
    return true;
  }

  // Whether all has come that it had said before this connection.
  get #hasCaughtUp(): boolean {
    const at = this.#at;
    if (!at || this.#untaken || this.#isBehind) return false;
    return this.#sink.size >= at.size && (!at.isGone || this.#hasGone);
  }

  took(number: number): void {
    this.#unsaid = this.#unsaid.filter((input) => input.number > number);
  }

  gone({ size, exit, stderr, isLapsed = false }: Gone): void {
    this.#isLost ||= isLapsed;
    this.#cameAt = performance.now();
    this.#gone = { size, exit, stderr };
    this.#settle();
  }

  swept(size: number, leaked: ProcessIdentity[]): void {
    this.#cameAt = performance.now();
    this.#left = { size, leaked };
    this.#settle();
  }

  /** Its machine is not waited for any more. */
  giveUp(why: string): void {
    this.#isLost = true;
    this.#isGivenUp = true;
    this.lost(why);
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
