// The machine's slots: one number for all batches of an account, shared by runners that know of each other
// only what stands here.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { livenessOf } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** Which of the machine's slots somebody holds. */
export type SlotId = number;

interface Claimant {
  account: string;
  batchId: BatchId;
  holder: ProcessIdentity;
  /** How many slots there are. */
  limit: number;
}

// Schemas are made once: making one costs far more than using it.
const countRow = z.object({ held: z.number() });
const slotRow = z.object({ slot_id: z.number() });
const holderRow = z.object({ holder: z.string() });
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
    const { account, batchId, holder, limit } = this.#claimant;
    const claim = this.#database.transaction(() => {
      if (this.#taken() >= limit) this.#freeDead();
      const own = this.#heldBy(batchId);
      if (this.#taken() < limit && !this.#waiters().some((waiter) => this.#heldBy(waiter) < own)) {
        this.#stopWaiting();
        return this.#insert();
      }
      this.#database
        .query("INSERT OR REPLACE INTO slot_waiters VALUES (?, ?, ?)")
        .run(batchId, account, JSON.stringify(holder));
      this.#waits = true;
      return undefined;
    });
    return claim.immediate();
  }

  /** Gives a slot back. */
  release(slot: SlotId): void {
    this.#database.query("DELETE FROM slots WHERE slot_id = ?").run(slot);
  }

  /** No slot is wanted any more. */
  stopWaiting(): void {
    if (this.#waits) this.#stopWaiting();
  }

  /** Whether this batch has so many that one should go to another that waits. */
  yields(): boolean {
    const own = this.#heldBy(this.#claimant.batchId);
    return this.#waiters().some((waiter) => {
      const theirs = this.#heldBy(waiter);
      return theirs === 0 || own - theirs >= 2;
    });
  }

  /** The slots that an earlier runner of this batch held; they are ours now, as its sessions are. */
  inherit(): SlotId[] {
    const { batchId, holder } = this.#claimant;
    const inherit = this.#database.query<unknown, [string, string]>(
      "UPDATE slots SET holder = ? WHERE batch_id = ? RETURNING slot_id",
    );
    return inherit.all(JSON.stringify(holder), batchId).map((row) => slotRow.parse(row).slot_id);
  }

  /** A slot above the limit, for a session that runs already. */
  force(): SlotId {
    return this.#insert();
  }

  /** All that this batch holds goes back: it has ended. */
  releaseAll(): void {
    const { batchId } = this.#claimant;
    this.#database.query("DELETE FROM slots WHERE batch_id = ?").run(batchId);
    this.#stopWaiting();
  }

  #insert(): SlotId {
    const { account, batchId, holder } = this.#claimant;
    const insert = this.#database.query("INSERT INTO slots (account, batch_id, holder) VALUES (?, ?, ?)");
    return Number(insert.run(account, batchId, JSON.stringify(holder)).lastInsertRowid);
  }

  #stopWaiting(): void {
    this.#database.query("DELETE FROM slot_waiters WHERE batch_id = ?").run(this.#claimant.batchId);
    this.#waits = false;
  }

  #taken(): number {
    const count = this.#database.query<unknown, [string]>(
      "SELECT count(*) AS held FROM slots WHERE account = ?",
    );
    return countRow.parse(count.get(this.#claimant.account)).held;
  }

  #heldBy(batchId: string): number {
    const count = this.#database.query<unknown, [string]>(
      "SELECT count(*) AS held FROM slots WHERE batch_id = ?",
    );
    return countRow.parse(count.get(batchId)).held;
  }

  // The other batches of the account that wait, and whose runners live.
  #waiters(): string[] {
    const { account, batchId } = this.#claimant;
    const rows = this.#database.query<unknown, [string, string]>(
      "SELECT batch_id, holder FROM slot_waiters WHERE account = ? AND batch_id <> ?",
    );
    return rows
      .all(account, batchId)
      .map((row) => waiterRow.parse(row))
      .filter(({ holder }) => isAlive(holder))
      .map((row) => row.batch_id);
  }

  #freeDead(): void {
    const { account } = this.#claimant;
    const rows = this.#database.query<unknown, [string]>(
      "SELECT DISTINCT holder FROM slots WHERE account = ?",
    );
    for (const row of rows.all(account)) {
      const { holder } = holderRow.parse(row);
      if (!isAlive(holder)) this.#database.query("DELETE FROM slots WHERE holder = ?").run(holder);
    }
  }
}

// One whose namespace we cannot look into counts as alive: its slots are never freed from here.
function isAlive(holder: string): boolean {
  return livenessOf(processIdentity.parse(JSON.parse(holder))) !== "dead";
}
