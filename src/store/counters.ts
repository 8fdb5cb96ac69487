// Numbers that only grow, for monitoring: how attempts ended and what sessions cost, over all batches that ever were.
import type { Database } from "bun:sqlite";
import {
  type AttemptCount,
  attemptCountsAfter,
  removedAttemptCounts,
  sumOfCounts,
} from "./attempt-counts.ts";
import { removedSpent, type Spent, spentAfter } from "./spent.ts";

/** What sessions cost of which one model is known. */
export type SpentOfModel = Pick<
  Spent,
  "model" | "usd" | "sessions" | "input" | "output" | "cacheRead" | "cacheWritten"
>;

/**
 * Costs are summed up in whole billionths of a dollar, of which those of tokens are made. Sums of fractions differ with their
 * order, which changes when a batch is removed, and a monitoring system takes the least decrease for a new beginning.
 */
interface Sum extends Omit<SpentOfModel, "usd"> {
  nanoUsd: number;
}

/**
 * Reads everything once, and from then on only what is new, because a monitoring system asks again and again. All is read
 * again only after something was removed, of which nobody knows whether it was counted.
 */
export class Counters {
  readonly #database: Database;
  #attempts: AttemptCount[] = [];
  /** By model. */
  readonly #spent = new Map<string, Sum>();
  /** The last event that was counted; none at first. */
  #until: number | undefined;
  /** What was kept of removed batches when they were counted. */
  #removed = "";

  constructor(database: Database) {
    this.#database = database;
  }

  read(): { attempts: readonly AttemptCount[]; spent: readonly SpentOfModel[] } {
    // At one moment: what comes in between would be counted in one of them alone.
    this.#database.transaction(() => this.#readOn())();
    const spent = [...this.#spent.values()].map(({ nanoUsd, ...sum }) => ({ ...sum, usd: nanoUsd / 1e9 }));
    return { attempts: this.#attempts, spent };
  }

  #readOn(): void {
    const database = this.#database;
    const removed = removedMark(database);
    const known = this.#removed === removed ? this.#until : undefined;
    const from = known ?? 0;
    const before = known === undefined ? removedAttemptCounts(database) : this.#attempts;
    const attempts = sumOfCounts([...before, ...attemptCountsAfter(database, from)]);
    const spent = [...(known === undefined ? removedSpent(database) : []), ...spentAfter(database, from)];
    const last = database
      .query<{ last: number | null }, []>("SELECT max(sequence) AS last FROM events")
      .get()?.last;
    // From here on nothing can fail, and leave half of it counted.
    if (known === undefined) this.#spent.clear();
    this.#add(spent);
    this.#attempts = attempts;
    this.#removed = removed;
    this.#until = Math.max(from, last ?? 0);
  }

  #add(spent: readonly Spent[]): void {
    for (const { model, usd, sessions, input, output, cacheRead, cacheWritten } of spent) {
      const sum = this.#spent.get(model) ?? { model, ...nothing };
      this.#spent.set(model, {
        model,
        nanoUsd: sum.nanoUsd + Math.round(usd * 1e9),
        sessions: sum.sessions + sessions,
        input: sum.input + input,
        output: sum.output + output,
        cacheRead: sum.cacheRead + cacheRead,
        cacheWritten: sum.cacheWritten + cacheWritten,
      });
    }
  }
}

// Changes whenever something is kept of a batch that is removed.
function removedMark(database: Database): string {
  return JSON.stringify([
    removedAttemptCounts(database),
    database.query("SELECT count(*) AS rows, total(usd) AS usd FROM spent").get(),
  ]);
}

const nothing = { nanoUsd: 0, sessions: 0, input: 0, output: 0, cacheRead: 0, cacheWritten: 0 };
