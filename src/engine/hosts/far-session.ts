// A session as its far keeper has it: its process, and who reads its transcript. It goes on when nobody reads.
import type { FromKeeper } from "../../far/messages.ts";
import type { Spent } from "../../model/outcome.ts";
import { closeDescriptor, openForReading, readAt, readTail, sizeOf } from "../../platform/files.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { systemCode } from "../../platform/system-error.ts";
import type { HowToEnd, Session } from "../attempt/session-host.ts";
import type { SessionRecord } from "./far-records.ts";

/** How much is sent at once, and how much before the reader says that it was taken, in bytes. */
const pieceBytes = 64 * 1024;
const windowBytes = 1024 * 1024;
/** How much of its standard error is sent, in bytes. */
const stderrBytes = 16_000;

/** How long an evicted session may take to exit before it is killed, in milliseconds. */
const evictionMs = 200;

const piece = new Uint8Array(pieceBytes);

/** A session of this machine, without its output. */
export type OwnSession = Omit<Session, "output">;

/** Somebody who reads. */
export interface Listener {
  send(message: FromKeeper, body?: Uint8Array): void;
  /** Another one has the batch from here on. */
  replaced(): void;
  /** It has given no sign of life for longer than the lease of its batch. */
  lapsed(): void;
}

interface Reading {
  by: Listener;
  /** How far the transcript was sent and taken, in bytes. */
  sent: number;
  got: number;
  hasHeardExit: boolean;
}

interface FarSessionParts {
  record: SessionRecord;
  transcript: string;
  stderr: string;
  /** Undefined if its process had gone and was swept before this keeper. */
  session: OwnSession | undefined;
  /** What a conversation that began in a directory has cost, if it can be continued there. */
  saved(id: string, directory: string): { cost?: Spent } | undefined;
  /** Called when its process has gone, and again when it was swept. */
  changed(record: SessionRecord): void;
}

export class FarSession {
  readonly #parts: FarSessionParts;
  #record: SessionRecord;
  #descriptor: number | undefined;
  #reading: Reading | undefined;
  #ended: Promise<readonly ProcessIdentity[]> | undefined;
  #isInputClosed = false;
  /** The runner that wrote last, and the number of its last input. */
  #last = { epoch: 0, number: 0 };

  constructor(parts: FarSessionParts) {
    this.#parts = parts;
    this.#record = parts.record;
    const { session } = parts;
    if (!session) return;
    void session.exited.then((exit) => {
      this.#set({ exit });
      this.pump();
      this.#endSoon({});
    });
  }

  get record(): SessionRecord {
    return this.#record;
  }

  /** Whether its process lives, as far as anybody knows. */
  get isRunning(): boolean {
    return this.#record.exit === undefined;
  }

  /** Whether everything of it has gone. */
  get isOver(): boolean {
    return this.#record.leaked !== undefined;
  }

  get transcriptBytes(): number {
    return sizeOf(this.#parts.transcript);
  }

  /** Passes a line on, or the end of the input. Never twice, however often it comes. */
  input(epoch: number, number: number, line: string | undefined): void {
    const { session } = this.#parts;
    if (epoch < this.#last.epoch || (epoch === this.#last.epoch && number <= this.#last.number)) return;
    this.#last = { epoch, number };
    if (line === undefined) this.closeInput();
    else {
      if (!this.#record.isAsked) this.#set({ isAsked: true });
      session?.write(line);
    }
  }

  /** No more input comes from a runner that has gone. One without a prompt ends then, and has spent nothing. */
  closeInput(): void {
    this.#isInputClosed = true;
    this.#parts.session?.closeInput();
  }

  /** Nobody has it any more. Without a prompt it ends, having spent nothing; with `ends`, it does in any case. */
  lapse({ ends }: { ends: boolean }): void {
    if (!this.isRunning) return;
    // One that waits for no more input, such as a command, goes on to its end.
    const endsByItself = !this.#record.isAsked && !this.#isInputClosed;
    if (!this.#record.isLapsed && (ends || endsByItself)) this.#set({ isLapsed: true });
    this.closeInput();
    if (ends) this.#endSoon({});
  }

  /** Ends it because the machine has no memory left for it. Its task runs again. */
  evict(): void {
    if (!this.isRunning || this.#record.isLapsed) return;
    this.#set({ isLapsed: true });
    this.#endSoon({ graceMs: evictionMs });
  }

  // What cannot be ended now is tried again when somebody asks next.
  #endSoon(how: HowToEnd): void {
    void this.end(how).catch(() => undefined);
  }

  /** Ends it and what it left behind, and returns that. The first call decides how. */
  end(how: HowToEnd): Promise<readonly ProcessIdentity[]> {
    this.#ended ??= this.#end(how).catch((error) => {
      this.#ended = undefined;
      throw error;
    });
    return this.#ended;
  }

  async #end(how: HowToEnd): Promise<readonly ProcessIdentity[]> {
    const { session } = this.#parts;
    const { leaked: before, isAsked } = this.#record;
    if (!session || before) return before ?? [];
    const leaked = await session.end({ isUnasked: !isAsked, ...how });
    this.#set({ leaked });
    this.pump();
    return leaked;
  }

  /** Sends the transcript from a byte on, as it grows. Who read it before reads no more. */
  read(by: Listener, from: number): void {
    this.#reading = { by, sent: from, got: from, hasHeardExit: false };
    this.pump();
    const { id, exit } = this.#record;
    by.send({ type: "at", id, size: this.transcriptBytes, isGone: exit !== undefined });
  }

  /** The reader has taken it up to this byte. */
  got(by: Listener, to: number): void {
    if (this.#reading?.by !== by) return;
    this.#reading.got = Math.max(this.#reading.got, to);
    this.pump();
  }

  /** This reader has gone. */
  letGo(by: Listener): void {
    if (this.#reading?.by === by) this.#reading = undefined;
  }

  /** Sends what is new, as far as the reader has room for it. What cannot be read now is read later. */
  pump(): void {
    try {
      this.#pump();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }

  #pump(): void {
    const reading = this.#reading;
    if (!reading) return;
    const { id, exit, isLapsed } = this.#record;
    for (;;) {
      const room = windowBytes - (reading.sent - reading.got);
      if (room <= 0) return;
      const read = readAt(this.#opened(), piece.subarray(0, Math.min(room, pieceBytes)), reading.sent);
      if (read === 0) break;
      reading.by.send({ type: "data", id, from: reading.sent }, piece.slice(0, read));
      reading.sent += read;
    }
    if (!exit || reading.hasHeardExit) return;
    reading.hasHeardExit = true;
    const stderr = readTail(this.#parts.stderr, stderrBytes);
    const because = isLapsed ? { isLapsed } : {};
    const known = { stderr, ...because, ...this.#conversation() };
    reading.by.send({ type: "exited", id, size: reading.sent, exit, ...known });
  }

  #conversation() {
    const { conversation: id, directory } = this.#record;
    if (id === undefined) return {};
    try {
      const saved = this.#parts.saved(id, directory);
      return saved ? { conversation: { id, ...saved } } : {};
    } catch (error) {
      // What cannot be read cannot be continued, either.
      if (systemCode(error) === undefined) throw error;
      return {};
    }
  }

  /** Closes what is open of it. */
  close(): void {
    if (this.#descriptor !== undefined) closeDescriptor(this.#descriptor);
    this.#descriptor = undefined;
    this.#reading = undefined;
  }

  #opened(): number {
    this.#descriptor ??= openForReading(this.#parts.transcript);
    return this.#descriptor;
  }

  #set(change: Partial<SessionRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#parts.changed(this.#record);
  }
}
