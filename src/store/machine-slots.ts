// Slots that runners share, who know each other only from these rows: the sessions of an account, and the starts of the
// machine.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { livenessOf } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { holderFrom, holderLives, lastSeen } from "./holder.ts";

/** Identifies a taken slot of the machine. */
export type SlotId = number;

/** The pool of rights to start a session: one for the whole machine, for all accounts. */
export const startingPool = "starting";

/** How often a waiting runner, which asks ten times a second, records that it waits, in milliseconds. */
const tellEveryMs = 1_000;
/** A waiter that has not asked for this long, in milliseconds, is ignored: it, or its machine, is stopped. */
const waitsForMs = 5_000;

interface Claimant {
  /** The account's hash, or `startingPool`. */
  pool: string;
  batchId: BatchId;
  holder: ProcessIdentity;
  /** How many slots there are now. */
  limit: () => number;
}

// Schemas are created once, because that costs far more than using them.
const countRow = z.object({ taken: z.number() });
const slotRow = z.object({ slot_id: z.number() });
const holderRow = z.object({ holder: z.string(), seen_at: z.number() });
const waiterRow = z.object({
  batch_id: z.string(),
  holder: z.string(),
  /** Null for a runner of an older version, which does not record it. */
  asked_at: z.number().nullable(),
});

/** The slots as one runner sees them. Every call is a transaction of its own. */
export class MachineSlots {
  readonly #database: Database;
  readonly #claimant: Claimant;
  /** When we last recorded that we wait; undefined while we do not. */
  #saidAt: number | undefined;

  constructor(database: Database, claimant: Claimant) {
    this.#database = database;
    this.#claimant = claimant;
  }

  /**
   * A slot. Undefined if all are taken, or one is free but a batch with fewer slots waits. A runner that gets none is
   * recorded as waiting.
   */
  claim(): SlotId | undefined {
    const { batchId } = this.#claimant;
    const limit = this.#claimant.limit();
    const claim = this.#database.transaction(() => {
      if (this.taken() >= limit) this.#freeDead();
      const own = this.#takenBy(batchId);
      if (this.taken() < limit && !this.#waiters().some((waiter) => this.#takenBy(waiter) < own)) {
        this.#stopWaiting();
        return this.#insert();
      }
      this.#sayThatWeWait();
      return undefined;
    });
    return claim.immediate();
  }

  /**
   * A slot, if one is free and no other batch waits for one; undefined otherwise. Then nothing is written, because each commit
   * wakes all other runners, and who asks like this asks often.
   */
  claimUnwaited(): SlotId | undefined {
    if (!this.#isUnwaited()) return undefined;
    return this.#database.transaction(() => (this.#isUnwaited() ? this.#insert() : undefined)).immediate();
  }

  /** Gives a slot back. */
  release(slot: SlotId): void {
    // Only our own: a row may be gone already, and older programs reuse numbers.
    const { batchId } = this.#claimant;
    this.#database.query("DELETE FROM pool_slots WHERE slot_id = ? AND batch_id = ?").run(slot, batchId);
  }

  /** No slot is wanted any more. */
  stopWaiting(): void {
    if (this.#saidAt !== undefined) this.#stopWaiting();
  }

  /** Whether this batch should give a slot to another one that waits, or holds more than the limit allows. */
  yields(): boolean {
    if (this.surplus() > 0) return true;
    const own = this.#takenBy(this.#claimant.batchId);
    return this.#waiters().some((waiter) => {
      const theirs = this.#takenBy(waiter);
      return theirs === 0 || own - theirs >= 2;
    });
  }

  /** How many more are taken than there are now. */
  surplus(): number {
    return Math.max(0, this.taken() - this.#claimant.limit());
  }

  /** The slots that an earlier runner of this batch held. They are ours now, as its sessions are. */
  inherit(): SlotId[] {
    const { pool, batchId, holder } = this.#claimant;
    const inherit = this.#database.query<unknown, [string, string, string]>(
      "UPDATE pool_slots SET holder = ? WHERE pool = ? AND batch_id = ? RETURNING slot_id",
    );
    return inherit.all(JSON.stringify(holder), pool, batchId).map((row) => slotRow.parse(row).slot_id);
  }

  /** A slot above the limit, for a session that already runs. */
  force(): SlotId {
    return this.#insert();
  }

  /** Releases everything that this batch holds: it has ended. */
  releaseAll(): void {
    const { pool, batchId } = this.#claimant;
    this.#database.query("DELETE FROM pool_slots WHERE pool = ? AND batch_id = ?").run(pool, batchId);
    this.#stopWaiting();
  }

  /** How many are taken, by all batches. */
  taken(): number {
    const count = this.#database.query<unknown, [string]>(
      "SELECT count(*) AS taken FROM pool_slots WHERE pool = ?",
    );
    return countRow.parse(count.get(this.#claimant.pool)).taken;
  }

  #isUnwaited(): boolean {
    return this.taken() < this.#claimant.limit() && this.#waiters().length === 0;
  }

  #insert(): SlotId {
    const { pool, batchId, holder } = this.#claimant;
    const insert = this.#database.query(
      "INSERT INTO pool_slots (slot_id, pool, batch_id, holder, claimed_at) VALUES (?, ?, ?, ?, ?)",
    );
    const slot = newSlotId();
    insert.run(slot, pool, batchId, JSON.stringify(holder), Date.now());
    return slot;
  }

  // Not on every request, because a commit makes all other processes read the store.
  #sayThatWeWait(): void {
    const now = performance.now();
    if (this.#saidAt !== undefined && now - this.#saidAt < tellEveryMs) return;
    const { pool, batchId, holder } = this.#claimant;
    // Each time, because another process may have removed it, thinking that we were gone.
    this.#database
      .query("INSERT OR REPLACE INTO pool_waiters (batch_id, pool, holder) VALUES (?, ?, ?)")
      .run(batchId, pool, JSON.stringify(holder));
    this.#database
      .query("INSERT OR REPLACE INTO pool_asks (pool, batch_id, asked_at) VALUES (?, ?, ?)")
      .run(pool, batchId, Date.now());
    this.#saidAt = now;
  }

  #stopWaiting(): void {
    this.#forgetWaiter(this.#claimant.batchId);
    this.#saidAt = undefined;
  }

  #forgetWaiter(batchId: string): void {
    const { pool } = this.#claimant;
    for (const table of ["pool_waiters", "pool_asks"])
      this.#database.query(`DELETE FROM ${table} WHERE pool = ? AND batch_id = ?`).run(pool, batchId);
  }

  #takenBy(batchId: string): number {
    const count = this.#database.query<unknown, [string, string]>(
      "SELECT count(*) AS taken FROM pool_slots WHERE pool = ? AND batch_id = ?",
    );
    return countRow.parse(count.get(this.#claimant.pool, batchId)).taken;
  }

  // The other waiting batches of the pool.
  #waiters(): string[] {
    return this.#waiterRows().flatMap((row) => (this.#isWaiting(row) ? [row.batch_id] : []));
  }

  #waiterRows(): z.infer<typeof waiterRow>[] {
    const { pool, batchId } = this.#claimant;
    const rows = this.#database.query<unknown, [string, string]>(
      `SELECT batch_id, holder, asked_at FROM pool_waiters LEFT JOIN pool_asks USING (pool, batch_id)
         WHERE pool = ? AND batch_id <> ?`,
    );
    return rows.all(pool, batchId).map((row) => waiterRow.parse(row));
  }

  #isWaiting({ holder: text, asked_at: askedAt }: z.infer<typeof waiterRow>): boolean {
    const holder = holderFrom(text);
    if (askedAt === null) return holderLives({ holder, seenAt: () => lastSeen(this.#database, holder) });
    return Math.abs(Date.now() - askedAt) < waitsForMs && livenessOf(holder) !== "dead";
  }

  // Removes the slots and waiter rows of runners that have gone.
  #freeDead(): void {
    const { pool } = this.#claimant;
    const rows = this.#database.query<unknown, [string]>(
      `SELECT holder, max(max(claimed_at, coalesce(alive_at, 0))) AS seen_at FROM pool_slots
         LEFT JOIN batches USING (batch_id) WHERE pool = ? GROUP BY holder`,
    );
    for (const row of rows.all(pool)) {
      const { holder, seen_at: seenAt } = holderRow.parse(row);
      if (holderLives({ holder: holderFrom(holder), seenAt: () => seenAt })) continue;
      this.#database.query("DELETE FROM pool_slots WHERE pool = ? AND holder = ?").run(pool, holder);
    }
    for (const row of this.#waiterRows()) if (!this.#isWaiting(row)) this.#forgetWaiter(row.batch_id);
  }
}

// SQLite reuses a number after its row is deleted, while somebody may still hold it. Below 2 ** 48, so that the numbers
// after it that SQLite generates for older programs are exact too.
function newSlotId(): SlotId {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 15) * 2 ** 32 + low + 1;
}
