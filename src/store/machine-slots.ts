// Slots that runners share which know of each other only what stands here: the sessions of an account, and the
// starts of the machine.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { livenessOf } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { holderFrom, isHeld } from "./holder.ts";

/** Which of the machine's slots somebody holds. */
export type SlotId = number;

/** The pool of the rights to start a session: one for the whole machine, whatever the account. */
export const startingPool = "starting";

/** No start takes longer: what is claimed for longer by somebody of whom nothing can be told is free, in milliseconds. */
const longestStartMs = 5 * 60_000;

interface Claimant {
  /** The account's hash, or `startingPool`. */
  pool: string;
  batchId: BatchId;
  holder: ProcessIdentity;
  /** How many slots there are now. */
  limit: () => number;
}

// Schemas are made once: making one costs far more than using it.
const countRow = z.object({ held: z.number() });
const slotRow = z.object({ slot_id: z.number() });
const holderRow = z.object({ holder: z.string(), claimed_at: z.number() });
const waiterRow = z.object({ batch_id: z.string(), holder: z.string() });

/** The slots as one runner sees them. Every call is a transaction of its own. */
export class MachineSlots {
  readonly #database: Database;
  readonly #claimant: Claimant;
  #waits = false;

  constructor(database: Database, claimant: Claimant) {
    this.#database = database;
    this.#claimant = claimant;
  }

  /**
   * A slot, or nothing while all are taken, or while one is free and a batch waits that holds fewer. Whoever gets
   * nothing is written down as waiting.
   */
  claim(): SlotId | undefined {
    const { pool, batchId, holder } = this.#claimant;
    const limit = this.#claimant.limit();
    const claim = this.#database.transaction(() => {
      if (this.taken() >= limit) this.#freeDead();
      const own = this.#heldBy(batchId);
      if (this.taken() < limit && !this.#waiters().some((waiter) => this.#heldBy(waiter) < own)) {
        this.#stopWaiting();
        return this.#insert();
      }
      // Written once: a commit makes all other processes look at the store.
      if (this.#waits) return undefined;
      this.#database
        .query("INSERT OR REPLACE INTO pool_waiters VALUES (?, ?, ?)")
        .run(batchId, pool, JSON.stringify(holder));
      this.#waits = true;
      return undefined;
    });
    return claim.immediate();
  }

  /** Gives a slot back. */
  release(slot: SlotId): void {
    this.#database.query("DELETE FROM pool_slots WHERE slot_id = ?").run(slot);
  }

  /** No slot is wanted any more. */
  stopWaiting(): void {
    if (this.#waits) this.#stopWaiting();
  }

  /** Whether this batch has so many that one should go to another that waits, or be given up for all. */
  yields(): boolean {
    if (this.taken() > this.#claimant.limit()) return true;
    const own = this.#heldBy(this.#claimant.batchId);
    return this.#waiters().some((waiter) => {
      const theirs = this.#heldBy(waiter);
      return theirs === 0 || own - theirs >= 2;
    });
  }

  /** The slots that an earlier runner of this batch held; they are ours now, as its sessions are. */
  inherit(): SlotId[] {
    const { pool, batchId, holder } = this.#claimant;
    const inherit = this.#database.query<unknown, [string, string, string]>(
      "UPDATE pool_slots SET holder = ? WHERE pool = ? AND batch_id = ? RETURNING slot_id",
    );
    return inherit.all(JSON.stringify(holder), pool, batchId).map((row) => slotRow.parse(row).slot_id);
  }

  /** A slot above the limit, for a session that runs already. */
  force(): SlotId {
    return this.#insert();
  }

  /** All that this batch holds goes back: it has ended. */
  releaseAll(): void {
    const { pool, batchId } = this.#claimant;
    this.#database.query("DELETE FROM pool_slots WHERE pool = ? AND batch_id = ?").run(pool, batchId);
    this.#stopWaiting();
  }

  /** How many are taken, by whomever. */
  taken(): number {
    const count = this.#database.query<unknown, [string]>(
      "SELECT count(*) AS held FROM pool_slots WHERE pool = ?",
    );
    return countRow.parse(count.get(this.#claimant.pool)).held;
  }

  #insert(): SlotId {
    const { pool, batchId, holder } = this.#claimant;
    const insert = this.#database.query(
      "INSERT INTO pool_slots (pool, batch_id, holder, claimed_at) VALUES (?, ?, ?, ?)",
    );
    return Number(insert.run(pool, batchId, JSON.stringify(holder), Date.now()).lastInsertRowid);
  }

  #stopWaiting(): void {
    const { pool, batchId } = this.#claimant;
    this.#database.query("DELETE FROM pool_waiters WHERE pool = ? AND batch_id = ?").run(pool, batchId);
    this.#waits = false;
  }

  #heldBy(batchId: string): number {
    const count = this.#database.query<unknown, [string, string]>(
      "SELECT count(*) AS held FROM pool_slots WHERE pool = ? AND batch_id = ?",
    );
    return countRow.parse(count.get(this.#claimant.pool, batchId)).held;
  }

  // The other batches of the pool that wait, and whose runners live.
  #waiters(): string[] {
    const { pool, batchId } = this.#claimant;
    const rows = this.#database.query<unknown, [string, string]>(
      "SELECT batch_id, holder FROM pool_waiters WHERE pool = ? AND batch_id <> ?",
    );
    return rows
      .all(pool, batchId)
      .map((row) => waiterRow.parse(row))
      .filter(({ holder }) => livenessOf(holderFrom(holder)) !== "dead")
      .map((row) => row.batch_id);
  }

  #freeDead(): void {
    const { pool } = this.#claimant;
    const rows = this.#database.query<unknown, [string]>(
      "SELECT holder, max(claimed_at) AS claimed_at FROM pool_slots WHERE pool = ? GROUP BY holder",
    );
    const believedMs = pool === startingPool ? longestStartMs : Number.POSITIVE_INFINITY;
    for (const row of rows.all(pool)) {
      const { holder, claimed_at: since } = holderRow.parse(row);
      if (isHeld({ holder: holderFrom(holder), since, believedMs })) continue;
      this.#database.query("DELETE FROM pool_slots WHERE pool = ? AND holder = ?").run(pool, holder);
    }
  }
}
