// What machine and account turned out to sustain: learned by runners, kept for later ones, and shared by those that run.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { holderFrom, holderLives } from "./holder.ts";

/** What the sessions of a runner use. */
export interface Load {
  sessions: number;
  usedBytes: number;
  /** What they may grow to together; never less than they use now. */
  expectedBytes: number;
}

const paceRow = z.object({ pace: z.string() });
const footprintRow = z.object({ bytes: z.number() });
const loadRow = z.object({
  batch_id: z.string(),
  holder: z.string(),
  sessions: z.number(),
  used_bytes: z.number(),
  expected_bytes: z.number(),
  changed_at: z.number(),
});

export class Capacity {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Changes the pace of an account: `change` gets the stored text, and returns the new one. */
  changePace(account: string, change: (kept: string | undefined) => string): string {
    const step = this.#database.transaction(() => {
      const kept = this.pace(account);
      const next = change(kept);
      if (next !== kept)
        this.#database.query("INSERT OR REPLACE INTO paces (account, pace) VALUES (?, ?)").run(account, next);
      return next;
    });
    return step.immediate();
  }

  /** The stored pace of an account. */
  pace(account: string): string | undefined {
    const row = this.#database
      .query<unknown, [string]>("SELECT pace FROM paces WHERE account = ?")
      .get(account);
    return row ? paceRow.parse(row).pace : undefined;
  }

  /** How much memory a session of this configuration takes, in bytes; undefined if none has run. */
  footprint(configuration: string): number | undefined {
    const row = this.#database
      .query<unknown, [string]>("SELECT bytes FROM footprints WHERE configuration = ?")
      .get(configuration);
    return row ? footprintRow.parse(row).bytes : undefined;
  }

  setFootprint(configuration: string, bytes: number): void {
    this.#database
      .query("INSERT OR REPLACE INTO footprints (configuration, bytes, changed_at) VALUES (?, ?, ?)")
      .run(configuration, Math.round(bytes), Date.now());
  }

  /** Publishes what the sessions of a batch use; without sessions, removes the row. */
  setLoad(batchId: BatchId, holder: ProcessIdentity, load: Load): void {
    if (load.sessions === 0) {
      this.#database.query("DELETE FROM loads WHERE batch_id = ?").run(batchId);
      return;
    }
    const { sessions, usedBytes, expectedBytes } = load;
    this.#database
      .query(
        `INSERT OR REPLACE INTO loads (batch_id, holder, sessions, used_bytes, expected_bytes, changed_at)
           VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        batchId,
        JSON.stringify(holder),
        sessions,
        Math.round(usedBytes),
        Math.round(expectedBytes),
        Date.now(),
      );
  }

  /** What the sessions of all other living runners use. */
  otherLoads(batchId: BatchId): Load[] {
    return this.#loadsBut(batchId);
  }

  /** What the sessions of all living runners use. */
  allLoads(): Load[] {
    return this.#loadsBut("");
  }

  #loadsBut(batchId: string): Load[] {
    const rows = this.#database.query<unknown, [string]>("SELECT * FROM loads WHERE batch_id <> ?");
    return rows.all(batchId).flatMap((value) => {
      const row = loadRow.parse(value);
      if (!holderLives({ holder: holderFrom(row.holder), seenAt: () => row.changed_at })) return [];
      return [{ sessions: row.sessions, usedBytes: row.used_bytes, expectedBytes: row.expected_bytes }];
    });
  }
}
