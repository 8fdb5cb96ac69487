// How attempts ended: of batches that are here, from their logs; of removed ones, from what is kept of them.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { factIn, noteFact } from "./facts.ts";

/** The limits of durations by which attempts are counted, in milliseconds. */
export const durationLimitsMs = [5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600].map(
  (seconds) => seconds * 1_000,
);

const countSchema = z.object({
  /** The kind of the outcome. */
  outcome: z.string(),
  /** Which failure, clock or canceller it was; empty for any other outcome. */
  why: z.string(),
  count: z.number(),
  /** How many of them the task was tried again after. */
  retried: z.number(),
  /** How many said how long they took. */
  timed: z.number(),
  /** How long those took together, in milliseconds. */
  durationMs: z.number(),
  /** How many of those took at most as long as each of the limits says. */
  within: z.array(z.number()),
});
/** Attempts that ended alike. */
export type AttemptCount = z.infer<typeof countSchema>;

// A newer program may have written more than this one knows: then nothing is known.
const countsSchema = z.array(countSchema).catch([]);

const rowSchema = z.looseObject(countSchema.omit({ within: true }).shape);
const limitCount = z.number();

// A fact, not a table: older programs ignore it, and the schema stays the same.
const factName = "removed-attempts";

const duration = "json_extract(body, '$.usage.durationMs')";
const within = durationLimitsMs.map((limit, index) => `total(${duration} <= ${limit}) AS within${index}`);

/** Attempts with a session of their own: no task that never started, and no answer that was used again. */
const counts = `SELECT json_extract(body, '$.outcome.kind') AS outcome,
    coalesce(json_extract(body, '$.outcome.reason'), json_extract(body, '$.outcome.clock'),
      json_extract(body, '$.outcome.by'), '') AS why,
    count(*) AS count, count(json_extract(body, '$.retryAt')) AS retried, count(${duration}) AS timed,
    total(${duration}) AS durationMs, ${within.join(", ")}
  FROM events WHERE json_extract(body, '$.type') = 'attempt-ended'
    AND json_extract(body, '$.attempt') > 0 AND json_extract(body, '$.outcome.reused') IS NULL`;

/** How attempts of batches that are here ended, behind an event. */
export function attemptCountsAfter(database: Database, sequence: number): AttemptCount[] {
  return database
    .query<unknown, [number]>(`${counts} AND sequence > ? GROUP BY 1, 2`)
    .all(sequence)
    .map(countFrom);
}

/** Keeps how those of a batch ended, within the transaction that removes it. */
export function keepAttemptCounts(database: Database, batchId: BatchId): void {
  const own = database
    .query<unknown, [string]>(`${counts} AND batch_id = ? GROUP BY 1, 2`)
    .all(batchId)
    .map(countFrom);
  if (own.length === 0) return;
  const value = JSON.stringify(sumOfCounts([...removedAttemptCounts(database), ...own]));
  noteFact(database, factName, value);
}

/** How those of removed batches ended. */
export function removedAttemptCounts(database: Database): AttemptCount[] {
  const value = factIn(database, factName);
  return value === undefined ? [] : countsSchema.parse(JSON.parse(value));
}

function countFrom(value: unknown): AttemptCount {
  const row = rowSchema.parse(value);
  const { outcome, why, count, retried, timed, durationMs } = row;
  const limits = durationLimitsMs.map((_, index) => limitCount.parse(row[`within${index}`]));
  return { outcome, why, count, retried, timed, durationMs, within: limits };
}

/** All that ended alike as one. */
export function sumOfCounts(all: readonly AttemptCount[]): AttemptCount[] {
  const sums = new Map<string, AttemptCount>();
  for (const { outcome, why, count, retried, timed, durationMs, within } of all) {
    const key = `${outcome} ${why}`;
    const sum = sums.get(key) ?? { outcome, why, ...nothing, within: within.map(() => 0) };
    sum.count += count;
    sum.retried += retried;
    sum.timed += timed;
    sum.durationMs += durationMs;
    sum.within = sum.within.map((number, index) => number + (within[index] ?? 0));
    sums.set(key, sum);
  }
  return [...sums.values()];
}

const nothing = { count: 0, retried: 0, timed: 0, durationMs: 0 };
