// Which beginnings of requests the cache of the API has, or is about to get, for all batches of an account. Only digests
// are stored: beginnings hold what the user has written.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";

/** For how long something is so, in milliseconds since 1970. */
export interface Span {
  since: number;
  until: number;
}

/** A beginning that one batch had the cache get, or has it get now. */
export interface KnownPrefix extends Span {
  /** The batch that has asked for it first and was not answered yet; undefined once the cache has it. */
  leader: string | undefined;
}

const prefixRow = z.object({
  prefix: z.string(),
  leader: z.string().nullable(),
  since: z.number(),
  until: z.number(),
});

/** How far clocks are set back by synchronization, in milliseconds. */
const clockToleranceMs = 60_000;

/** Whether it is so now. Not if the clock was set back to before its beginning: then its end is meaningless. */
export function isNow({ since, until }: Span, now: number): boolean {
  return since <= now + clockToleranceMs && now < until;
}

/** The beginnings of one account. */
export class Prefixes {
  readonly #database: Database;
  readonly #account: string;

  constructor(database: Database, account: string) {
    this.#database = database;
    this.#account = account;
  }

  /** All that is known, by digest; what is over, too. */
  all(): Map<string, KnownPrefix> {
    const rows = this.#database.query<unknown, [string]>(
      "SELECT prefix, leader, since, until FROM prefixes WHERE account = ?",
    );
    return new Map(rows.all(this.#account).map(entryOf));
  }

  /** Takes the lead for a batch, or keeps it. False if the cache has the beginning, or another batch leads. */
  lead(prefix: string, batchId: BatchId, span: Span): boolean {
    const lead = this.#database.transaction(() => {
      const row = this.#database
        .query<unknown, [string, string]>(
          "SELECT prefix, leader, since, until FROM prefixes WHERE account = ? AND prefix = ?",
        )
        .get(this.#account, prefix);
      const known = row === null ? undefined : entryOf(row)[1];
      if (known && known.leader !== batchId && isNow(known, span.since)) return false;
      this.#set(prefix, batchId, span);
      return true;
    });
    return lead.immediate();
  }

  /** The cache has it. Forgets what is over. */
  keep(prefix: string, span: Span): void {
    this.#database
      .query("DELETE FROM prefixes WHERE account = ? AND until <= ?")
      .run(this.#account, span.since);
    this.#set(prefix, null, span);
  }

  /** A batch leads no more, and the cache got nothing. */
  free(prefix: string, batchId: BatchId): void {
    this.#database
      .query("DELETE FROM prefixes WHERE account = ? AND prefix = ? AND leader = ?")
      .run(this.#account, prefix, batchId);
  }

  #set(prefix: string, leader: string | null, { since, until }: Span): void {
    this.#database
      .query("INSERT OR REPLACE INTO prefixes (account, prefix, leader, since, until) VALUES (?, ?, ?, ?, ?)")
      .run(this.#account, prefix, leader, since, until);
  }
}

function entryOf(row: unknown): [string, KnownPrefix] {
  const { prefix, leader, since, until } = prefixRow.parse(row);
  return [prefix, { leader: leader ?? undefined, since, until }];
}
