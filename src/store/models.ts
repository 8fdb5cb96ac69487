// Which models a batch has used.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";

/** Of this number of sessions: a batch mixes its models from the beginning. */
const lookedAt = 50;

const rowsSchema = z.array(z.object({ model: z.string() }));

/** The models of its first sessions that ended, by their ids, in the order of use. Empty until one has ended. */
export function modelsOf(database: Database, batchId: BatchId): string[] {
  const rows = database
    .query<unknown, [string, number]>(
      `SELECT model FROM (SELECT sequence, json_extract(body, '$.model') AS model FROM events
         WHERE batch_id = ? AND json_extract(body, '$.type') = 'attempt-ended' ORDER BY sequence LIMIT ?)
         WHERE model IS NOT NULL GROUP BY model ORDER BY min(sequence)`,
    )
    .all(batchId, lookedAt);
  return rowsSchema.parse(rows).map(({ model }) => model);
}
