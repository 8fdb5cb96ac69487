// The log of one batch, and the belief that follows from it. Whoever appends folds first.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { type Event, type EventBody, eventBody } from "../model/event.ts";
import { apply, type BatchState, replaceState, stateFrom } from "../model/state.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { batchColumns, insertRow, parseRow, selectionOf, updateRow } from "./batch-columns.ts";
import { isStorageTrouble } from "./database.ts";
import { isHeld } from "./holder.ts";
import { KeptPaths } from "./kept-paths.ts";

/** Another runner has taken this batch over: the one that sees this stops, and touches nothing. */
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

/** Of no boot, and so nowhere. */
const nobody: ProcessIdentity = { boot: "none", namespace: "", pid: 1, startTicks: "none" };

/** What founds a batch. */
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
  /** Of others, folded by an append of ours: what acts on events must still get them. */
  #unheard: Event[] = [];
  /** Before a transaction that failed: what has been believed since is not so. Nothing where all is well. */
  #wellUntil: { sequence: number; unheard: readonly Event[] } | undefined;

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

  /** Folded as far as it goes, or up to the event of a sequence. Nothing when there is no such batch, or not by then. */
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

  /** Of the last event that is taken in. It grows from event to event, over all batches of the store. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Takes in what others have appended, and gives what has not been given yet. */
  refresh(): Event[] {
    this.#foldAgain();
    const events = [...this.#unheard, ...this.#takeIn()];
    this.#unheard = [];
    return events;
  }

  #takeIn(): Event[] {
    return this.#lines.after(this.#sequence).map(({ event, sequence }) => {
      apply(this.state, event);
      this.#sequence = sequence;
      return event;
    });
  }

  /**
   * Appends what `decide` makes of the newest state, in one transaction, and gives it.
   * A runner passes its `epoch`; when another has taken over, `Replaced` is thrown and nothing is written.
   */
  append(decide: (state: BatchState) => EventBody[], epoch?: number): Event[] {
    return this.#write(() => {
      this.#unheard.push(...this.#takeIn());
      if (epoch !== undefined && epoch !== this.state.epoch) throw new Replaced(this.batchId);
      const events = decide(this.state).map((body): Event => ({ ...body, ...this.#stamp(epoch ?? 0) }));
      for (const event of events) {
        this.#add(event);
        this.#forgetActivity(event);
      }
      if (events.length > 0) this.#writeRow();
      return events;
    });
  }

  // Never earlier than what came before, though the machine's clock be set back.
  #stamp(epoch: number): { at: number; epoch: number } {
    return { at: Math.max(Date.now(), this.state.changedAt), epoch };
  }

  #add(event: Event): void {
    this.#sequence = this.#lines.insert(event);
    apply(this.state, event);
  }

  #write<Result>(write: () => Result): Result {
    this.#foldAgain();
    const before = { sequence: this.#sequence, unheard: [...this.#unheard] };
    let hasBegun = false;
    const transaction = this.#place.database.transaction(() => {
      hasBegun = true;
      return write();
    });
    try {
      return transaction.immediate();
    } catch (error) {
      // What was believed inside a transaction that did not come about (a full disk, say) is believed no more.
      if (hasBegun && !(error instanceof Replaced)) {
        this.#wellUntil = before;
        this.#foldAgainIfReadable();
      }
      throw error;
    }
  }

  // A disk that cannot be read either is read again before anything else is done.
  #foldAgainIfReadable(): void {
    try {
      this.#foldAgain();
    } catch (error) {
      if (!isStorageTrouble(error)) throw error;
    }
  }

  // What others have appended since the last good moment is theirs to stay, and whoever acts on it has not heard of it.
  #foldAgain(): void {
    if (!this.#wellUntil) return;
    const { sequence, unheard } = this.#wellUntil;
    const before = BatchLog.open(this.#place, this.batchId, sequence);
    if (!before) throw new Error(`Internal error: the log of ${this.batchId} has gone`);
    replaceState(this.state, before.state);
    this.#sequence = before.#sequence;
    this.#unheard = [...unheard, ...this.#takeIn()];
    this.#wellUntil = undefined;
  }

  /**
   * Becomes the runner of this batch, and gives the new epoch. Of several who try at the same time exactly one
   * succeeds; the others get nothing, as does everybody while the last runner lives: also one that was stopped,
   * for it may wake at any time. One that cannot be looked at from here lives as long as it says so.
   */
  takeOver(identity: ProcessIdentity): number | undefined {
    const from = this.state.epoch;
    return this.#write(() => {
      // Whoever becomes the runner begins with what there is.
      this.refresh();
      if (this.state.epoch !== from || this.state.endedAt !== undefined || this.#isRun()) return undefined;
      const epoch = from + 1;
      const event: Event = { type: "runner-started", identity, ...this.#stamp(epoch) };
      this.#add(event);
      this.#writeRow();
      this.#place.database
        .query("UPDATE batches SET runner = ?, alive_at = ? WHERE batch_id = ?")
        // By the clock, and not by the log, whose time goes on where the clock was set back.
        .run(JSON.stringify(identity), Date.now(), this.batchId);
      return epoch;
    });
  }

  /**
   * Takes the batch from its runner, whether that lives or not, and gives it to nobody: in a copy of the store, where the
   * runner works for the original. Appends what `decide` makes of it.
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
      this.#writeRow();
      // Long ago, so that it does not go on by itself: whoever wants that asks for it.
      this.#place.database
        .query("UPDATE batches SET runner = NULL, keeper = NULL, alive_at = 0 WHERE batch_id = ?")
        .run(this.batchId);
    });
  }

  // Whoever starts new processes strikes the old ones out in the row. One that lives all the same is about to leave, and
  // must be gone before it is followed.
  #isRun(): boolean {
    const row = this.#place.database
      .query<unknown, [string]>(`SELECT ${selectionOf(runnerColumns)} FROM batches WHERE batch_id = ?`)
      .get(this.batchId);
    const { runner, aliveAt } = parseRow(runnerColumns, row);
    const holder = runner ?? this.state.runner;
    return holder !== undefined && isHeld({ holder, seenAt: () => (runner ? aliveAt : 0) });
  }

  #writeRow(): void {
    updateRow(this.#place.database, { state: this.state, kept: (path) => this.#lines.kept(path) });
  }

  #forgetActivity(event: Event): void {
    if (event.type !== "attempt-ended") return;
    this.#place.database
      .query("DELETE FROM progress WHERE batch_id = ? AND task = ?")
      .run(this.batchId, event.task);
  }
}

/** The lines of one batch's log, as they are kept. */
class LogLines {
  readonly #database: Database;
  readonly #batchId: BatchId;
  readonly #paths: KeptPaths;
  /** Whether this log keeps paths relative. A new one does; of others, the first line says it. */
  #relative = true;

  constructor({ database, stateDirectory }: LogPlace, batchId: BatchId) {
    this.#database = database;
    this.#batchId = batchId;
    this.#paths = new KeptPaths(stateDirectory, batchId);
  }

  /** A path as this log keeps it. */
  kept(path: string): string {
    return this.#relative ? this.#paths.kept(path) : path;
  }

  insert({ at, epoch, ...body }: Event): number {
    const insert = this.#database.query("INSERT INTO events (batch_id, at, epoch, body) VALUES (?, ?, ?, ?)");
    const kept = this.#relative ? this.#paths.keptEvent(body) : body;
    return Number(insert.run(this.#batchId, at, epoch, JSON.stringify(kept)).lastInsertRowid);
  }

  after(sequence: number, until = Number.MAX_SAFE_INTEGER): { sequence: number; event: Event }[] {
    const lines = this.#database.query<unknown, [string, number, number]>(
      "SELECT sequence, at, epoch, body FROM events WHERE batch_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence",
    );
    return lines.all(this.#batchId, sequence, until).map((value) => {
      const line = lineSchema.parse(value);
      const body: EventBody = eventBody.parse(JSON.parse(line.body));
      if (body.type === "batch-created") this.#relative = body.relativePaths === true;
      const event: Event = { ...this.#paths.eventToday(body), at: line.at, epoch: line.epoch };
      return { sequence: line.sequence, event };
    });
  }
}
