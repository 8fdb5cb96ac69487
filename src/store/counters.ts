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
 * Reads everything once, and from then on only what is new, because a monitoring system asks again and again. What is
 * removed meanwhile has been counted.
 */
export class Counters {
  readonly #database: Database;
  #attempts: AttemptCount[];
  readonly #spent = new Map<string, SpentOfModel>();
  /** The last event that was counted. */
  #until = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#attempts = removedAttemptCounts(database);
    this.#add(removedSpent(database));
  }

  read(): { attempts: readonly AttemptCount[]; spent: readonly SpentOfModel[] } {
    // At one moment: what comes in between would be counted in one of them alone.
    const step = this.#database.transaction(() => {
      const last = this.#database.query<{ last: number | null }, []>(
        "SELECT max(sequence) AS last FROM events",
      );
      const until = last.get()?.last ?? 0;
      const more = attemptCountsAfter(this.#database, this.#until);
      return { until, more, spent: spentAfter(this.#database, this.#until) };
    });
    const { until, more, spent } = step();
    this.#until = Math.max(this.#until, until);
    this.#attempts = sumOfCounts([...this.#attempts, ...more]);
    this.#add(spent);
    return { attempts: this.#attempts, spent: [...this.#spent.values()] };
  }

  #add(spent: readonly Spent[]): void {
    for (const { model, usd, sessions, input, output, cacheRead, cacheWritten } of spent) {
      const sum = this.#spent.get(model) ?? { model, ...nothing };
      this.#spent.set(model, {
        model,
        usd: sum.usd + usd,
        sessions: sum.sessions + sessions,
        input: sum.input + input,
        output: sum.output + output,
        cacheRead: sum.cacheRead + cacheRead,
        cacheWritten: sum.cacheWritten + cacheWritten,
      });
    }
  }
}

const nothing = { usd: 0, sessions: 0, input: 0, output: 0, cacheRead: 0, cacheWritten: 0 };
