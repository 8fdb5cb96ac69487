// The store: one event log, one row for each batch, and the activities of running tasks.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { batchIdSchema } from "../model/batch-id.ts";
import { type Pause, pause } from "../model/event.ts";
import { type AccessKind, accessKinds, type Canceller, cancellers } from "../model/outcome.ts";
import type { Counts } from "../model/state.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { fileIdentity } from "../platform/files.ts";
import { join } from "../platform/paths.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { keepAttemptCounts } from "./attempt-counts.ts";
import { type BatchColumns, batchColumns, parseRow, selectionOf } from "./batch-columns.ts";
import { BatchLog, type Founding, type LogPlace } from "./batch-log.ts";
import { Capacity } from "./capacity.ts";
import { openDatabase, storeProblemOf } from "./database.ts";
import { factIn } from "./facts.ts";
import { holderLives } from "./holder.ts";
import { KeptPaths } from "./kept-paths.ts";
import { batchFolderOf, batchOfPages, type Layout, layoutOf, sharedDirectoryOf } from "./layout.ts";
import { notePlace } from "./place.ts";
import { keepSpending } from "./spent.ts";
import { StoreChanges } from "./store-changes.ts";

/** A batch as `list` reads it. A test compares it with the fold. */
export interface BatchRow extends Omit<BatchColumns, "heldBecause" | "heldUntil" | keyof Counts> {
  /** For an ended batch: who or what cancelled tasks, if some are cancelled. */
  stoppedBy?: Canceller;
  /** If a hold did: what was missing, if the log says so. */
  lackedAccess?: AccessKind;
  /** For a batch that ended with the process that waited for it: the command or tool that had started it. */
  startedBy?: string;
  /** Why it currently starts no sessions. */
  held?: WaitReason;
  counts: Counts;
}

const activitySchema = z.object({ task: z.number(), activity: z.string() });

const changeSchema = z.object({
  sequence: z.number(),
  batchId: batchIdSchema,
  type: z.string(),
  /** The task that it concerns, if it concerns one. */
  task: z.number().nullable(),
});
/** An event, as far as it says what changed. */
export type StoreChange = z.infer<typeof changeSchema>;
const changeRows = z.array(changeSchema);

const budgetRows = z.array(z.object({ usd: z.number().nullable(), stoppedBy: z.string().nullable() }));
/** In US dollars. */
interface Budgets {
  budgetUsd: number | undefined;
  stoppedAtUsd: number | undefined;
}

const endedCountSchema = z
  .object({
    batches: z.number(),
    cancelledBy: z.enum(cancellers).nullable(),
    queued: z.number(),
    running: z.number(),
    succeeded: z.number(),
    failed: z.number(),
    cancelled: z.number(),
  })
  .transform(({ batches, cancelledBy, ...counts }) => ({
    batches,
    counts: counts satisfies Counts,
    ...(cancelledBy === null ? {} : { cancelledBy }),
  }));
type EndedCount = z.output<typeof endedCountSchema>;
const endedCountRows = z.array(endedCountSchema);

const createdSchema = z.object({ created: z.number() });

const pauseRow = z.object({ pause: z.union([z.string(), z.number()]).nullable() }).nullish();

/** The last request to cancel tasks. */
const stopSchema = z.object({ by: z.enum(cancellers), access: z.enum(accessKinds).optional() });

const onlyId = batchColumns.pick({ batchId: true });

const readSchema = batchColumns.extend({
  stop: z
    .string()
    .transform((text) => stopSchema.parse(JSON.parse(text)))
    .exactOptional(),
  startedBy: z.string().exactOptional(),
});

// The last two are read from the log instead of columns, so they are known for batches of every version. The request that
// counts is near the end of the log, and the backwards scan stops there.
const columns = `${selectionOf(batchColumns)},
  CASE WHEN ended_at IS NOT NULL AND cancelled > 0 THEN
    (SELECT json_remove(body, '$.tasks') FROM events WHERE events.batch_id = batches.batch_id
       AND json_extract(body, '$.type') = 'cancel-requested' ORDER BY sequence DESC LIMIT 1) END AS stop,
  CASE WHEN ended_at IS NOT NULL AND cancelled > 0 AND cancelled_by = 'leash' THEN
    (SELECT json_extract(body, '$.batch.startedBy') FROM events WHERE events.batch_id = batches.batch_id
       ORDER BY sequence LIMIT 1) END AS startedBy`;

// In the order of creation, not by the clock, which may have been set back.
const newest = `SELECT ${columns} FROM batches ORDER BY batches.rowid DESC LIMIT ? OFFSET ?`;

/** Opened once for a process, when first needed. Throws `StoreProblem` for what the user can fix. */
export class Store implements Disposable {
  readonly layout: Layout;
  readonly database: Database;
  /** What machine and account turned out to sustain. */
  readonly capacity: Capacity;
  /** Wakes those who wait until other processes have written. */
  readonly changes = new StoreChanges(this);
  readonly #file: string | undefined;

  /** `busyTimeoutMs`: how long this process may block while another one writes. */
  constructor(stateDirectory: string, { busyTimeoutMs }: { busyTimeoutMs?: number } = {}) {
    this.layout = layoutOf(stateDirectory);
    this.database = openDatabase(this.layout.database, busyTimeoutMs);
    this.capacity = new Capacity(this.database);
    this.#file = fileIdentity(this.layout.database);
    this.#notePlace();
  }

  /** Whether the open file is still at its path. If not, the state directory was removed, moved or replaced. */
  get isInPlace(): boolean {
    return fileIdentity(this.layout.database) === this.#file;
  }

  [Symbol.dispose](): void {
    this.changes[Symbol.dispose]();
    this.database.close();
  }

  // Required: a copy that was not recognized would treat processes of the original as its own.
  #notePlace(): void {
    try {
      notePlace(this.#place);
    } catch (error) {
      this.database.close();
      throw storeProblemOf(error, this.layout.database) ?? error;
    }
  }

  get #place(): LogPlace {
    return { database: this.database, stateDirectory: this.layout.stateDirectory };
  }

  /** Creates a batch: its row and its first event, in one transaction. */
  create(body: Founding, at: number): BatchLog {
    return BatchLog.create(this.#place, body, at);
  }

  /** The log of a batch, folded to its end, or up to a sequence. Undefined if there is no such batch. */
  batch(batchId: BatchId, until?: number): BatchLog | undefined {
    return BatchLog.open(this.#place, batchId, until);
  }

  /** Batches, newest first. */
  list({ limit = 50, offset = 0 } = {}): BatchRow[] {
    return this.database.query<unknown, [number, number]>(newest).all(limit, offset).map(this.#rowFrom);
  }

  row(batchId: BatchId): BatchRow | undefined {
    const row = this.database
      .query<unknown, [string]>(`SELECT ${columns} FROM batches WHERE batch_id = ?`)
      .get(batchId);
    return row ? this.#rowFrom(row) : undefined;
  }

  /** The batches whose id begins with this. At most `limit`. */
  withPrefix(prefix: string, limit = 10): BatchId[] {
    if (!/^[a-z2-9]{1,8}$/.test(prefix)) return [];
    const rows = this.database
      .query<unknown, [string, number]>(
        `SELECT ${selectionOf(onlyId)} FROM batches WHERE batch_id GLOB ? LIMIT ?`,
      )
      .all(`${prefix}*`, limit);
    return rows.map((row) => parseRow(onlyId, row).batchId);
  }

  /** The batches with this name, newest first. */
  named(name: string): BatchId[] {
    const rows = this.database
      .query<unknown, [string]>(
        `SELECT ${selectionOf(onlyId)} FROM batches WHERE name = ? ORDER BY rowid DESC`,
      )
      .all(name);
    return rows.map((row) => parseRow(onlyId, row).batchId);
  }

  /** The newest batches of a template, newest first. Looks at the newest thousand. */
  withTemplate(template: string, limit: number): BatchId[] {
    const rows = this.database
      .query<unknown, [string, number]>(
        `SELECT ${selectionOf(onlyId)} FROM (SELECT * FROM batches ORDER BY rowid DESC LIMIT 1000) AS batches
           WHERE (SELECT json_extract(body, '$.batch.template') FROM events
             WHERE events.batch_id = batches.batch_id ORDER BY sequence LIMIT 1) = ?
           LIMIT ?`,
      )
      .all(template, limit);
    return rows.map((row) => parseRow(onlyId, row).batchId);
  }

  /** The budget of a batch, and the one at which it last stopped. The same as the fold of its log, but faster. */
  budgets(batchId: BatchId): Budgets {
    const rows = this.database
      .query<unknown, [string]>(
        `SELECT coalesce(json_extract(body, '$.budgetUsd'), json_extract(body, '$.batch.budgetUsd')) AS usd,
           json_extract(body, '$.by') AS stoppedBy FROM events WHERE batch_id = ?
           AND json_extract(body, '$.type') IN
             ('batch-created', 'retry-requested', 'continue-requested', 'summary-requested', 'cancel-requested')
           ORDER BY sequence`,
      )
      .all(batchId);
    const budgets: Budgets = { budgetUsd: undefined, stoppedAtUsd: undefined };
    for (const { usd, stoppedBy } of budgetRows.parse(rows)) {
      budgets.budgetUsd = usd ?? budgets.budgetUsd;
      if (stoppedBy === "budget") budgets.stoppedAtUsd = budgets.budgetUsd;
    }
    return budgets;
  }

  /** Who has paused a batch; undefined if nobody has. The same as the fold of its log, but faster. */
  pausedBy(batchId: BatchId): Pause | undefined {
    const row = this.database
      .query<unknown, [string]>(
        `SELECT json_extract(body, '$.pause') AS pause FROM events WHERE batch_id = ?
           AND (json_extract(body, '$.pause') IS NOT NULL OR json_extract(body, '$.type') IN ('continue-requested', 'batch-ended'))
           ORDER BY sequence DESC LIMIT 1`,
      )
      .get(batchId);
    const found = pauseRow.parse(row);
    return typeof found?.pause === "string" ? pause.parse(JSON.parse(found.pause)) : undefined;
  }

  /** How many batches of an account were created at `since` or later. */
  createdSince(account: string, since: number): number {
    const count = this.database.query<unknown, [string, number]>(
      "SELECT count(*) AS created FROM batches WHERE account = ? AND created_at >= ?",
    );
    return createdSchema.parse(count.get(account, since)).created;
  }

  /** Batches that write to this directory, or to folders beside it if it is the own folder of the batch `of`, newest first. */
  inDirectory(
    outputDirectory: string,
    { of, limit = 50 }: { of?: BatchId; limit?: number } = {},
  ): BatchRow[] {
    // A batch's own directory, where nobody else writes, identifies the batch by its path. Older rows may have another
    // path.
    const own = batchOfPages(this.layout, outputDirectory);
    const alone = own === undefined ? undefined : this.row(own);
    if (alone) return [alone];
    const shared = of && sharedDirectoryOf(outputDirectory, of);
    if (shared !== undefined) return this.#inFoldersOf(shared, limit);
    const rows = this.database.query<unknown, [string, number]>(
      `SELECT ${columns} FROM batches WHERE output_directory = ? ORDER BY batches.rowid DESC LIMIT ?`,
    );
    return rows.all(outputDirectory, limit).map(this.#rowFrom);
  }

  // Each has a folder of its own there. The bounds are for the index, which finds no pattern.
  #inFoldersOf(directory: string, limit: number): BatchRow[] {
    const begin = join(directory, batchFolderOf(""));
    const rows = this.database.query<unknown, [string, string, number]>(
      `SELECT ${columns} FROM batches WHERE output_directory >= ? AND output_directory < ?
         ORDER BY batches.rowid DESC LIMIT ?`,
    );
    return rows
      .all(begin, `${begin}\u{10ffff}`, limit)
      .map(this.#rowFrom)
      .filter((row) => sharedDirectoryOf(row.outputDirectory, row.batchId) === directory);
  }

  /** A number that changes whenever another process has committed. Takes a few microseconds. */
  changeCount(): number {
    const row = this.database.query<{ data_version: number }, []>("PRAGMA data_version").get();
    return row?.data_version ?? 0;
  }

  /** Gives back the memory that holds pages of the file: those that are needed again are read again. */
  giveMemoryBack(): void {
    this.database.run("PRAGMA shrink_memory");
  }

  /** The number of the last event appended before a time (milliseconds since 1970), in any batch. */
  sequenceBefore(at: number): number {
    const last = this.database.query<{ sequence: number }, [number]>(
      "SELECT sequence FROM events WHERE at < ? ORDER BY sequence DESC LIMIT 1",
    );
    return last.get(at)?.sequence ?? 0;
  }

  /** What was appended after an event, in any batch, at most `limit`. */
  changesAfter(sequence: number, limit = 1_000): StoreChange[] {
    const changes = this.database.query<unknown, [number, number]>(
      `SELECT sequence, batch_id AS batchId, json_extract(body, '$.type') AS type, json_extract(body, '$.task') AS task
         FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    );
    return changeRows.parse(changes.all(sequence, limit));
  }

  /** Makes hashes of credentials useless outside this store. */
  salt(): string {
    const salt = factIn(this.database, "salt");
    if (salt === undefined) throw new Error("Internal error: the store has no salt");
    return salt;
  }

  /**
   * What running tasks are doing, by task number, in one commit. Keeps only the latest; undefined: nothing any more. Not an
   * event.
   */
  setActivities(batchId: BatchId, activities: ReadonlyMap<number, string | undefined>): void {
    const write = this.database.query(
      "INSERT OR REPLACE INTO progress (batch_id, task, activity) VALUES (?, ?, ?)",
    );
    const forget = this.database.query("DELETE FROM progress WHERE batch_id = ? AND task = ?");
    const step = this.database.transaction(() => {
      for (const [task, activity] of activities) {
        if (activity === undefined) forget.run(batchId, task);
        else write.run(batchId, task, activity);
      }
    });
    if (activities.size > 0) step.immediate();
  }

  /** What the running tasks of a batch are doing, by task number. */
  activities(batchId: BatchId): Map<number, string> {
    const rows = this.database
      .query<unknown, [string]>("SELECT task, activity FROM progress WHERE batch_id = ?")
      .all(batchId);
    return new Map(
      rows.map((row) => {
        const { task, activity } = activitySchema.parse(row);
        return [task, activity];
      }),
    );
  }

  /** Makes this process the keeper of the batch. False while another keeper lives. */
  claimKeeper(batchId: BatchId, keeper: ProcessIdentity): boolean {
    const claim = this.database.transaction(() => {
      const before = this.row(batchId);
      if (before?.keeper && holderLives({ holder: before.keeper, seenAt: () => before.aliveAt }))
        return false;
      const change = this.database.query("UPDATE batches SET keeper = ? WHERE batch_id = ?");
      return change.run(JSON.stringify(keeper), batchId).changes === 1;
    });
    return claim.immediate();
  }

  /** Sets why a batch currently starts no sessions; `undefined` if it starts them again. */
  setHeld(batchId: BatchId, held: WaitReason | undefined): void {
    const change = this.database.query(
      "UPDATE batches SET held_because = ?, held_until = ? WHERE batch_id = ?",
    );
    change.run(held?.because ?? null, held?.until ?? null, batchId);
  }

  /**
   * Marks that new processes for a batch are starting: until they register, it counts as running. False, and nothing
   * changed, if somebody else was faster, so as not to overwrite newer processes.
   */
  announce({ batchId, runner, keeper }: Pick<BatchRow, "batchId" | "runner" | "keeper">): boolean {
    const change = this.database.query(
      `UPDATE batches SET runner = NULL, keeper = NULL, alive_at = ?
         WHERE batch_id = ? AND runner IS ? AND keeper IS ?`,
    );
    const text = (identity: ProcessIdentity | undefined) => (identity ? JSON.stringify(identity) : null);
    return change.run(Date.now(), batchId, text(runner), text(keeper)).changes === 1;
  }

  /** Batches whose sample has ended, and that nobody has continued. */
  paused(): BatchRow[] {
    return this.database
      .query<unknown, []>(`SELECT ${columns} FROM batches WHERE ended_at IS NOT NULL AND queued > 0`)
      .all()
      .map(this.#rowFrom);
  }

  /** Batches that have neither ended nor paused. */
  unended(): BatchRow[] {
    return this.database
      .query<unknown, []>(`SELECT ${columns} FROM batches WHERE ended_at IS NULL`)
      .all()
      .map(this.#rowFrom);
  }

  /** How many batches have ended or paused, and how many of their tasks stand how, by how they ended. */
  endedCounts(): EndedCount[] {
    const rows = this.database.query<unknown, []>(
      `SELECT count(*) AS batches, cancelled_by AS cancelledBy, total(queued) AS queued, total(running) AS running,
         total(succeeded) AS succeeded, total(failed) AS failed, total(cancelled) AS cancelled
         FROM batches WHERE ended_at IS NOT NULL GROUP BY queued > 0, cancelled_by`,
    );
    return endedCountRows.parse(rows.all());
  }

  /** Batches that had ended by then (milliseconds since 1970), oldest first; without those that have only paused. */
  endedBy(at: number): BatchRow[] {
    return this.database
      .query<unknown, [number]>(
        `SELECT ${columns} FROM batches WHERE ended_at <= ? AND queued = 0 ORDER BY ended_at`,
      )
      .all(at)
      .map(this.#rowFrom);
  }

  /**
   * Removes an ended batch with its log, but for what it cost, unless another batch counts that. False, and nothing done, for
   * any other. Files stay.
   */
  forget(batchId: BatchId, { keepsSpending = true }: { keepsSpending?: boolean } = {}): boolean {
    const drop = this.database.transaction(() => {
      const row = this.database.query(
        "DELETE FROM batches WHERE batch_id = ? AND ended_at IS NOT NULL AND queued = 0",
      );
      if (row.run(batchId).changes !== 1) return false;
      if (keepsSpending) {
        keepSpending(this.database, batchId);
        keepAttemptCounts(this.database, batchId);
      }
      this.database.query("DELETE FROM events WHERE batch_id = ?").run(batchId);
      this.database.query("DELETE FROM progress WHERE batch_id = ?").run(batchId);
      this.database.query("DELETE FROM loads WHERE batch_id = ?").run(batchId);
      return true;
    });
    return drop.immediate();
  }

  /** Records a heartbeat of the runner of this epoch. False if another one has taken its place. */
  setAlive(batchId: BatchId, epoch: number, at: number): boolean {
    const change = this.database.query("UPDATE batches SET alive_at = ? WHERE batch_id = ? AND epoch = ?");
    return change.run(at, batchId, epoch).changes === 1;
  }

  readonly #rowFrom = (value: unknown): BatchRow => {
    const row = rowFrom(value);
    const paths = new KeptPaths(this.layout.stateDirectory, row.batchId);
    return { ...row, outputDirectory: paths.absolute(row.outputDirectory) };
  };
}

function rowFrom(value: unknown): BatchRow {
  const row = parseRow(readSchema, value);
  const { stop, heldBecause, heldUntil, queued, running, succeeded, failed, cancelled, ...fields } = row;
  return {
    ...fields,
    ...(stop ? { stoppedBy: row.cancelledBy ?? stop.by } : {}),
    ...(row.cancelledBy === "stop-when" ? { stoppedBy: row.cancelledBy } : {}),
    ...(stop?.by === "hold" && stop.access !== undefined ? { lackedAccess: stop.access } : {}),
    ...(heldBecause === undefined ? {} : { held: { because: heldBecause, until: heldUntil } }),
    counts: { queued, running, succeeded, failed, cancelled },
  };
}
