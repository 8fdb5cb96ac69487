// What sessions have cost, and when: of batches that are here, from their logs; of removed ones, from a table that outlives
// them.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { batchIdSchema } from "../model/batch-id.ts";
import { type ModelUsage, modelUsage } from "../model/outcome.ts";

/** All time zones differ by multiples of this from each other, in milliseconds, so days anywhere are made of whole quarters. */
export const quarterMs = 15 * 60_000;

const columns = z.object({
  batchId: batchIdSchema,
  /** The quarter of an hour in which the sessions ended: its beginning, in milliseconds since 1970. */
  quarter: z.number(),
  /** Its id, or '' for costs for which the CLI named no model. */
  model: z.string(),
  usd: z.number(),
  /** Whether a session of them was cut off, and cost more than it reported. */
  atLeast: z.number().transform(Boolean),
  /** Sessions are counted with the model that cost most of each. */
  sessions: z.number(),
  /** Tokens. */
  input: z.number(),
  output: z.number(),
  cacheRead: z.number(),
  cacheWritten: z.number(),
  /** The batch's name. */
  name: z.string().nullable(),
  /** The batch's working directory. */
  directory: z.string(),
  /** The client that started the batch, as it names itself; absent on the command line. */
  client: z.string().nullable(),
});
/** What sessions of one batch cost that ended in one quarter of an hour, by one model. */
export type Spent = z.output<typeof columns>;
const allColumns = z.array(columns);

const usageByModel = z.record(z.string(), modelUsage);
const endedSchema = z.object({
  batchId: batchIdSchema,
  at: z.number(),
  usd: z.number(),
  atLeast: z.number().nullable().transform(Boolean),
  models: z
    .string()
    .nullable()
    .transform((text) => (text === null ? {} : usageByModel.parse(JSON.parse(text)))),
});
type Ended = z.output<typeof endedSchema>;

const factsSchema = columns.pick({ name: true, directory: true, client: true });
type Facts = z.output<typeof factsSchema>;

/** The ends of sessions that said what they cost. An answer that is used again says that it cost nothing. */
const ends = `SELECT batch_id AS batchId, at, json_extract(body, '$.usage.costUsd') AS usd,
    json_extract(body, '$.usage.atLeast') AS atLeast, json_extract(body, '$.usage.models') AS models
  FROM events WHERE json_extract(body, '$.type') = 'attempt-ended'
    AND json_extract(body, '$.usage.costUsd') IS NOT NULL
    AND (json_extract(body, '$.usage.costUsd') > 0 OR json_extract(body, '$.outcome.reused') IS NULL)`;

/** What was spent in the quarters of an hour from one time until another, in milliseconds since 1970. The latest comes last. */
export function spentBetween(database: Database, since: number, until: number): Spent[] {
  const first = quarterOf(since);
  // The last one counts whole, too: what is removed must not change a sum.
  const end = Math.ceil(until / quarterMs) * quarterMs;
  const sums = new Sums(database);
  // By batch, because an index of times would cost each task something.
  const recent = database.query<unknown, [number, number, number, number]>(
    `${ends} AND batch_id IN (SELECT batch_id FROM batches WHERE changed_at >= ? AND created_at < ?)
       AND at >= ? AND at < ?`,
  );
  for (const row of recent.iterate(first, end, first, end)) sums.add(endedSchema.parse(row));
  return [...removedSpent(database, first, end), ...sums.rows()].sort((a, b) => a.quarter - b.quarter);
}

/** What sessions of removed batches cost, in the quarters of an hour from one time until another. */
export function removedSpent(database: Database, since = 0, until = Number.MAX_SAFE_INTEGER): Spent[] {
  const rows = database
    .query<unknown, [number, number]>(
      `SELECT batch_id AS batchId, quarter, model, usd, at_least AS atLeast, sessions, input, output,
         cache_read AS cacheRead, cache_written AS cacheWritten, name, directory, client
         FROM spent WHERE quarter >= ? AND quarter < ?`,
    )
    .all(since, until);
  return allColumns.parse(rows);
}

/** What sessions cost whose ends stand behind an event. */
export function spentAfter(database: Database, sequence: number): Spent[] {
  const sums = new Sums(database);
  const ended = database.query<unknown, [number]>(`${ends} AND sequence > ?`);
  for (const row of ended.iterate(sequence)) sums.add(endedSchema.parse(row));
  return sums.rows();
}

/**
 * What all sessions cost that ended at a time or later, in milliseconds since 1970, in US dollars. The same as the sum of
 * `spentBetween`, but faster, because most batches began later, and their rows know their costs.
 */
export function spentSince(database: Database, since: number): number {
  const first = quarterOf(since);
  const sum = (text: string) => sumSchema.parse(database.query<unknown, [number]>(text).get(first)).usd;
  const whole = sum("SELECT total(cost_usd) AS usd FROM batches WHERE created_at >= ?");
  const removed = sum("SELECT total(usd) AS usd FROM spent WHERE quarter >= ?");
  const part = database.query<unknown, [number, number, number]>(
    `SELECT total(json_extract(body, '$.usage.costUsd')) AS usd FROM events
       WHERE batch_id IN (SELECT batch_id FROM batches WHERE created_at < ? AND changed_at >= ?) AND at >= ?
         AND json_extract(body, '$.type') = 'attempt-ended'`,
  );
  return whole + removed + sumSchema.parse(part.get(first, first, first)).usd;
}

const sumSchema = z.object({ usd: z.number() });

/** Keeps what a batch has cost, within the transaction that removes it. */
export function keepSpending(database: Database, batchId: BatchId): void {
  const sums = new Sums(database);
  const own = database.query<unknown, [string]>(`${ends} AND batch_id = ?`);
  for (const row of own.iterate(batchId)) sums.add(endedSchema.parse(row));
  const insert = database.query(
    `INSERT OR REPLACE INTO spent (batch_id, quarter, model, usd, at_least, sessions, input, output,
       cache_read, cache_written, name, directory, client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const row of sums.rows())
    insert.run(
      row.batchId,
      row.quarter,
      row.model,
      row.usd,
      Number(row.atLeast),
      row.sessions,
      row.input,
      row.output,
      row.cacheRead,
      row.cacheWritten,
      row.name,
      row.directory,
      row.client,
    );
}

function quarterOf(at: number): number {
  return Math.floor(at / quarterMs) * quarterMs;
}

/** Sums up the ends of sessions. */
class Sums {
  readonly #database: Database;
  readonly #rows = new Map<string, Spent>();
  readonly #facts = new Map<BatchId, Facts>();

  constructor(database: Database) {
    this.#database = database;
  }

  rows(): Spent[] {
    return [...this.#rows.values()];
  }

  add({ batchId, at, usd, atLeast, models }: Ended): void {
    const parts = partsOf(usd, models);
    const [main] = parts.toSorted((one, other) => other.usd - one.usd);
    for (const part of parts) {
      const row = this.#row(batchId, quarterOf(at), part.model);
      row.usd += part.usd;
      row.input += part.input;
      row.output += part.output;
      row.cacheRead += part.cacheRead;
      row.cacheWritten += part.cacheWritten;
      if (part !== main) continue;
      row.sessions += 1;
      row.atLeast ||= atLeast;
    }
  }

  #row(batchId: BatchId, quarter: number, model: string): Spent {
    const key = `${batchId} ${quarter} ${model}`;
    const known = this.#rows.get(key);
    if (known) return known;
    const nothing = { usd: 0, atLeast: false, sessions: 0, ...noTokens };
    const row = { batchId, quarter, model, ...nothing, ...this.#factsOf(batchId) };
    this.#rows.set(key, row);
    return row;
  }

  #factsOf(batchId: BatchId): Facts {
    const known = this.#facts.get(batchId);
    if (known) return known;
    const first = this.#database.query<unknown, [string]>(
      `SELECT json_extract(body, '$.batch.name') AS name, json_extract(body, '$.batch.workingDirectory') AS directory,
         json_extract(body, '$.batch.client') AS client FROM events WHERE batch_id = ? ORDER BY sequence LIMIT 1`,
    );
    const facts = factsSchema.parse(first.get(batchId));
    this.#facts.set(batchId, facts);
    return facts;
  }
}

const noTokens = { input: 0, output: 0, cacheRead: 0, cacheWritten: 0 };

type Part = Required<Omit<ModelUsage, "costUsd">> & { model: string; usd: number };

// The costs of a session, model by model. What no model accounts for belongs to the only one without costs, or to none.
function partsOf(usd: number, models: Readonly<Record<string, ModelUsage>>): Part[] {
  const known = Object.entries(models);
  const silent = known.filter(([, { costUsd }]) => costUsd === undefined);
  const rest = usd - known.reduce((sum, [, { costUsd = 0 }]) => sum + costUsd, 0);
  const heir = silent.length === 1 ? silent[0]?.[0] : undefined;
  const parts = known.map(([model, { costUsd = 0, input, output, cacheRead, cacheWritten }]) => ({
    model,
    usd: costUsd + (model === heir ? rest : 0),
    ...{ input, output, cacheRead, cacheWritten },
  }));
  const isAll = heir !== undefined || (known.length > 0 && Math.abs(rest) < 1e-9);
  return isAll ? parts : [...parts, { model: "", usd: rest, ...noTokens }];
}
