// The log of one batch, and the state that follows from it. Every append first folds what is new.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { type Event, type EventBody, eventBody } from "../model/event.ts";
import { product } from "../model/product.ts";
import { apply, type BatchState, replaceState, stateFrom } from "../model/state.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { batchColumns, insertRow, parseRow, selectionOf, settledValues, updateRow } from "./batch-columns.ts";
import { isStorageTrouble, StoreProblem } from "./database.ts";
import { holderLives } from "./holder.ts";
import { KeptPaths } from "./kept-paths.ts";
import { withOwnOptions, withSharedOptions } from "./shared-options.ts";

/**
 * Another runner has taken over this batch. `append` throws it to a runner, and so does all that a runner writes under its
 * epoch (`RunnerLog`). Only `runBatch` catches it: the runner stops, and touches nothing any more.
 */
export class Replaced extends Error {
  constructor(batchId: string) {
    super(`Another runner now runs batch ${batchId}.`);
  }
}

const lineSchema = z.object({
  sequence: z.number(),
  at: z.number(),
  epoch: z.number(),
  body: z.string(),
});
const runnerColumns = batchColumns.pick({ runner: true, aliveAt: true });

/** An identity that matches no boot, so it is never alive. */
const nobody: ProcessIdentity = { boot: "none", namespace: "", pid: 1, startTicks: "none" };

/** The event that creates a batch. */
export type Founding = Extract<EventBody, { type: "batch-created" }>;

/** Where the logs of all batches are. */
export interface LogPlace {
  database: Database;
  stateDirectory: string;
}

export class BatchLog {
  readonly #place: LogPlace;
  readonly #lines: LogLines;
  readonly state: BatchState;
  #sequence: number;
  /** Events of others, folded by an append of ours, that `refresh` still has to return. */
  #unreturned: Event[] = [];
  /** State before a transaction that failed: everything folded since is invalid. Undefined if all is well. */
  #wellUntil: { sequence: number; unreturned: readonly Event[] } | undefined;

  private constructor(place: LogPlace, lines: LogLines, state: BatchState, sequence: number) {
    this.#place = place;
    this.#lines = lines;
    this.state = state;
    this.#sequence = sequence;
  }

  static create(place: LogPlace, body: Founding, at: number): BatchLog {
    const event: Event & Founding = { ...body, relativePaths: true, at, epoch: 0 };
    const state = stateFrom(event);
    const lines = new LogLines(place, state.batch.batchId);
    const write = place.database.transaction(() => {
      insertRow(place.database, { state, kept: (path) => lines.kept(path) });
      return lines.insert(event);
    });
    return new BatchLog(place, lines, state, write.immediate());
  }

  /**
   * Folds the log to its end, or up to the event of a sequence. Undefined if there is no such batch, or not by then.
   */
  static open(place: LogPlace, batchId: BatchId, until?: number): BatchLog | undefined {
    const lines = new LogLines(place, batchId);
    const [first, ...others] = lines.after(0, until);
    if (!first) return undefined;
    const state = stateFrom(first.event);
    for (const { event } of others) apply(state, event);
    return new BatchLog(place, lines, state, (others.at(-1) ?? first).sequence);
  }

  get batchId(): BatchId {
    return this.state.batch.batchId;
  }

  /** Of the last event folded. Sequences grow over all batches of the store. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Folds what others have appended, and returns events not returned before. */
  refresh(): Event[] {
    this.#foldAgain();
    const events = [...this.#unreturned, ...this.#foldNew()];
    this.#unreturned = [];
    return events;
  }

  #foldNew(): Event[] {
    return this.#lines.after(this.#sequence).map(({ event, sequence }) => {
      apply(this.state, event);
      this.#sequence = sequence;
      return event;
    });
  }

  /**
   * Appends what `decide` returns for the newest state, in one transaction, and returns it. A runner passes its `epoch`:
   * if another has taken over, throws `Replaced` and writes nothing.
   */
  append(decide: (state: BatchState) => EventBody[], epoch?: number): Event[] {
    return this.#write(() => {
      const others = this.#foldNew();
      this.#unreturned.push(...others);
      if (epoch !== undefined && epoch !== this.state.epoch) throw new Replaced(this.batchId);
      // A program of another version may have written another row.
      const before = others.length > 0 ? undefined : settledValues(this.#row);
      const events = decide(this.state).map((body): Event => ({ ...body, ...this.#stamp(epoch ?? 0) }));
      for (const event of events) {
        this.#add(event);
        this.#forgetActivity(event);
      }
      if (events.length > 0) updateRow(this.#place.database, this.#row, before);
      return events;
    });
  }

  /** Appends for the runner of the batch, which is in this process and has this log: its next `refresh` returns the events. */
  request(decide: (state: BatchState) => EventBody[]): Event[] {
    const events = this.append(decide);
    this.#unreturned.push(...events);
    return events;
  }

  // Never earlier than the previous event, even if the machine's clock was set back.
  #stamp(epoch: number): { at: number; epoch: number } {
    return { at: Math.max(Date.now(), this.state.changedAt), epoch };
  }

  #add(event: Event): void {
    this.#sequence = this.#lines.insert(event);
    apply(this.state, event);
  }

  #write<Result>(write: () => Result): Result {
    this.#foldAgain();
    const before = { sequence: this.#sequence, unreturned: [...this.#unreturned] };
    let hasBegun = false;
    const transaction = this.#place.database.transaction(() => {
      hasBegun = true;
      return write();
    });
    try {
      return transaction.immediate();
    } catch (error) {
      // The transaction failed (a full disk, for example), so the state folded inside it is invalid.
      if (hasBegun && !(error instanceof Replaced)) {
        this.#wellUntil = before;
        this.#foldAgainIfReadable();
      }
      throw error;
    }
  }

  // If the disk cannot be read either, the log is read again before the next operation.
  #foldAgainIfReadable(): void {
    try {
      this.#foldAgain();
    } catch (error) {
      if (!isStorageTrouble(error)) throw error;
    }
  }

  // Events of others since the last good moment stay valid, and `refresh` has not returned them yet.
  #foldAgain(): void {
    if (!this.#wellUntil) return;
    const { sequence, unreturned } = this.#wellUntil;
    const before = BatchLog.open(this.#place, this.batchId, sequence);
    if (!before) throw new Error(`Internal error: the log of ${this.batchId} has gone`);
    replaceState(this.state, before.state);
    this.#sequence = before.#sequence;
    this.#unreturned = [...unreturned, ...this.#foldNew()];
    this.#wellUntil = undefined;
  }

  /**
   * Makes this process the runner of the batch, and returns the new epoch. If several try at the same time, exactly one
   * succeeds; the others get undefined, as does everybody while the last runner lives, even if it is stopped, because it
   * may resume at any time. A runner that is not visible from here lives while its heartbeat is fresh. A process that ran
   * the batch until it paused may run it again. `hasWaited`: for that process to exit, which it does not have to: `run` asks
   * its user what to do next.
   */
  takeOver(identity: ProcessIdentity, { hasWaited = false } = {}): number | undefined {
    const from = this.state.epoch;
    return this.#write(() => {
      // A new runner starts from the current log.
      this.refresh();
      const isOver = this.state.epoch !== from || this.state.endedAt !== undefined;
      if (isOver || this.#isRunBesides(identity, hasWaited)) return undefined;
      const epoch = from + 1;
      const event: Event = {
        type: "runner-started",
        identity,
        obeysChanges: true,
        ...this.#stamp(epoch),
      };
      this.#add(event);
      updateRow(this.#place.database, this.#row);
      this.#place.database
        .query("UPDATE batches SET runner = ?, alive_at = ? WHERE batch_id = ?")
        // By the clock, not by the log, whose time moves on even if the clock was set back.
        .run(JSON.stringify(identity), Date.now(), this.batchId);
      return epoch;
    });
  }

  /**
   * Takes the batch from its runner, alive or not, and leaves it without one: in a copy of the store, where that runner
   * works for the original. Appends what `decide` returns.
   */
  disown(decide: (state: BatchState) => EventBody[]): void {
    this.#write(() => {
      this.refresh();
      for (const body of decide(this.state)) this.#add({ ...body, ...this.#stamp(0) });
      this.#add({
        type: "runner-started",
        identity: nobody,
        copied: true,
        ...this.#stamp(this.state.epoch + 1),
      });
      updateRow(this.#place.database, this.#row);
      // Long ago, so that it is not resumed automatically, only on request.
      this.#place.database
        .query("UPDATE batches SET runner = NULL, keeper = NULL, alive_at = 0 WHERE batch_id = ?")
        .run(this.batchId);
    });
  }

  // Starting new processes clears the old ones in the row. A keeper or runner that still lives is about to exit, and must
  // be gone first.
  #isRunBesides(identity: ProcessIdentity, hasWaited: boolean): boolean {
    const row = this.#place.database
      .query<unknown, [string]>(`SELECT ${selectionOf(runnerColumns)} FROM batches WHERE batch_id = ?`)
      .get(this.batchId);
    const { runner, aliveAt } = parseRow(runnerColumns, row);
    if (!runner && hasWaited && this.state.restedEpoch === this.state.epoch) return false;
    const holder = runner ?? this.state.runner;
    if (holder === undefined || Bun.deepEquals(holder, identity)) return false;
    return holderLives({ holder, seenAt: () => (runner ? aliveAt : 0) });
  }

  get #row() {
    return { state: this.state, kept: (path: string) => this.#lines.kept(path) };
  }

  #forgetActivity(event: Event): void {
    if (event.type !== "attempt-ended") return;
    this.#place.database
      .query("DELETE FROM progress WHERE batch_id = ? AND task = ?")
      .run(this.batchId, event.task);
  }
}

/** The lines of one batch's log, as stored. */
class LogLines {
  readonly #database: Database;
  readonly #batchId: BatchId;
  readonly #paths: KeptPaths;
  /** Whether this log stores paths as relative. A new one does; for others, the first line says so. */
  #relative = true;

  constructor({ database, stateDirectory }: LogPlace, batchId: BatchId) {
    this.#database = database;
    this.#batchId = batchId;
    this.#paths = new KeptPaths(stateDirectory, batchId);
  }

  /** A path as this log stores it. */
  kept(path: string): string {
    return this.#relative ? this.#paths.kept(path) : path;
  }

  insert({ at, epoch, ...body }: Event): number {
    const insert = this.#database.query("INSERT INTO events (batch_id, at, epoch, body) VALUES (?, ?, ?, ?)");
    const kept = withSharedOptions(this.#relative ? this.#paths.keptEvent(body) : body);
    return Number(insert.run(this.#batchId, at, epoch, JSON.stringify(kept)).lastInsertRowid);
  }

  after(sequence: number, until = Number.MAX_SAFE_INTEGER): { sequence: number; event: Event }[] {
    const lines = this.#database.query<unknown, [string, number, number]>(
      "SELECT sequence, at, epoch, body FROM events WHERE batch_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence",
    );
    return lines.all(this.#batchId, sequence, until).map((value) => {
      const line = lineSchema.parse(value);
      const body = withOwnOptions(this.#bodyOf(line.body));
      if (body.type === "batch-created") this.#relative = body.relativePaths === true;
      const event: Event = { ...this.#paths.eventToday(body), at: line.at, epoch: line.epoch };
      return { sequence: line.sequence, event };
    });
  }

  // The schema of the store stays the same where only a new kind of event comes.
  #bodyOf(text: string): EventBody {
    const read = eventBody.safeParse(JSON.parse(text));
    if (read.success) return read.data;
    throw new StoreProblem(
      `The log of batch ${this.#batchId} has an entry that ${product.name} ${product.version} does not understand. Probably a newer version has written it.`,
      `Update this program. Nothing in the log was changed.`,
    );
  }
}
