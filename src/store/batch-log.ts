// The log of one batch, and the belief that follows from it. Whoever appends folds first.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { type Event, type EventBody, eventBody } from "../model/event.ts";
import { apply, type BatchState, stateFrom } from "../model/state.ts";
import { livenessOf } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";

/** Another runner has taken this batch over: whoever sees this stops, and touches nothing. */
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

export class BatchLog {
  readonly #database: Database;
  readonly state: BatchState;
  #sequence: number;
  /** Of others, folded by an append of ours: whoever acts on events must still be told of them. */
  #unheard: Event[] = [];

  private constructor(database: Database, state: BatchState, sequence: number) {
    this.#database = database;
    this.state = state;
    this.#sequence = sequence;
  }

  static create(database: Database, event: Event): BatchLog {
    const state = stateFrom(event);
    const write = database.transaction(() => {
      const insert = database.query(
        `INSERT INTO batches (batch_id, name, created_at, changed_at, account, output_directory, alive_at,
           queued, running, succeeded, failed, cancelled, cost_usd, cost_at_least)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0)`,
      );
      const { batch, account, outputDirectory, counts } = state;
      insert.run(
        batch.batchId,
        batch.name ?? null,
        event.at,
        event.at,
        account.hash,
        outputDirectory,
        event.at,
        counts.queued,
      );
      return insertEvent(database, batch.batchId, event);
    });
    return new BatchLog(database, state, write.immediate());
  }

  /** Folded as far as it goes, or up to the event of a sequence. Nothing when there is no such batch, or not by then. */
  static open(database: Database, batchId: BatchId, until?: number): BatchLog | undefined {
    const [first, ...others] = linesAfter(database, batchId, 0, until);
    if (!first) return undefined;
    const state = stateFrom(first.event);
    for (const { event } of others) apply(state, event);
    return new BatchLog(database, state, (others.at(-1) ?? first).sequence);
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
    const events = [...this.#unheard, ...this.#takeIn()];
    this.#unheard = [];
    return events;
  }

  #takeIn(): Event[] {
    return linesAfter(this.#database, this.batchId, this.#sequence).map(({ event, sequence }) => {
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
    const write = this.#database.transaction(() => {
      this.#unheard.push(...this.#takeIn());
      if (epoch !== undefined && epoch !== this.state.epoch) throw new Replaced(this.batchId);
      const events = decide(this.state).map((body): Event => {
        // Never earlier than what came before, though the machine's clock be set back.
        return { ...body, at: Math.max(Date.now(), this.state.changedAt), epoch: epoch ?? 0 };
      });
      for (const event of events) {
        this.#sequence = insertEvent(this.#database, this.batchId, event);
        apply(this.state, event);
        this.#forgetActivity(event);
      }
      if (events.length > 0) this.#writeRow();
      return events;
    });
    try {
      return write.immediate();
    } catch (error) {
      // What was believed inside a transaction that did not come about (a full disk, say) is believed no more.
      if (!(error instanceof Replaced)) this.#fold();
      throw error;
    }
  }

  #fold(): void {
    const again = BatchLog.open(this.#database, this.batchId);
    if (!again) throw new Error(`Internal error: the log of ${this.batchId} has gone`);
    for (const name of ["endedAt", "runner", "leash", "cancelledBy"] as const) delete this.state[name];
    Object.assign(this.state, again.state);
    this.#sequence = again.#sequence;
  }

  /**
   * Becomes the runner of this batch, and gives the new epoch. Of several who try at the same time exactly one
   * succeeds; the others get nothing, as does everybody while the last runner lives: also one that was stopped,
   * for it may wake at any time.
   */
  takeOver(identity: ProcessIdentity): number | undefined {
    const from = this.state.epoch;
    const write = this.#database.transaction(() => {
      this.refresh();
      const { epoch: now, endedAt, runner } = this.state;
      if (now !== from || endedAt !== undefined) return undefined;
      if (runner && livenessOf(runner) !== "dead") return undefined;
      const epoch = from + 1;
      const at = Math.max(Date.now(), this.state.changedAt);
      const event: Event = { type: "runner-started", identity, at, epoch };
      this.#sequence = insertEvent(this.#database, this.batchId, event);
      apply(this.state, event);
      this.#writeRow();
      this.#database.query("UPDATE batches SET alive_at = ? WHERE batch_id = ?").run(at, this.batchId);
      return epoch;
    });
    return write.immediate();
  }

  #writeRow(): void {
    const { state } = this;
    const { queued, running, succeeded, failed, cancelled } = state.counts;
    const change = this.#database.query(
      `UPDATE batches SET changed_at = ?, ended_at = ?, cancelled_by = ?, epoch = ?, runner = ?,
         output_directory = ?, queued = ?, running = ?, succeeded = ?, failed = ?, cancelled = ?,
         cost_usd = ?, cost_at_least = ? WHERE batch_id = ?`,
    );
    change.run(
      state.changedAt,
      state.endedAt ?? null,
      state.cancelledBy ?? null,
      state.epoch,
      state.runner ? JSON.stringify(state.runner) : null,
      state.outputDirectory,
      queued,
      running,
      succeeded,
      failed,
      cancelled,
      state.totalCostUsd,
      state.costAtLeast ? 1 : 0,
      this.batchId,
    );
  }

  #forgetActivity(event: Event): void {
    if (event.type !== "attempt-ended") return;
    this.#database
      .query("DELETE FROM progress WHERE batch_id = ? AND task = ?")
      .run(this.batchId, event.task);
  }
}

function insertEvent(database: Database, batchId: BatchId, event: Event): number {
  const { at, epoch, ...body } = event;
  const insert = database.query("INSERT INTO events (batch_id, at, epoch, body) VALUES (?, ?, ?, ?)");
  return Number(insert.run(batchId, at, epoch, JSON.stringify(body)).lastInsertRowid);
}

function linesAfter(
  database: Database,
  batchId: BatchId,
  sequence: number,
  until = Number.MAX_SAFE_INTEGER,
): { sequence: number; event: Event }[] {
  const lines = database.query<unknown, [string, number, number]>(
    "SELECT sequence, at, epoch, body FROM events WHERE batch_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence",
  );
  return lines.all(batchId, sequence, until).map((value) => {
    const line = lineSchema.parse(value);
    const body: EventBody = eventBody.parse(JSON.parse(line.body));
    return { sequence: line.sequence, event: { ...body, at: line.at, epoch: line.epoch } };
  });
}
