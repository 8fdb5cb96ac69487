// The batch that somebody means.
import type { BatchLog } from "../store/batch-log.ts";
import type { BatchRow } from "../store/store.ts";
import { type Context, Fault } from "./context.ts";

/** By its id, the beginning of its id, or `latest`. Throws `Fault` when there is none, or more than one. */
export function findBatch({ store }: Context, given: string): BatchLog {
  const ids =
    given === "latest" ? store.list({ limit: 1 }).map(({ batchId }) => batchId) : store.withPrefix(given);
  const [id] = ids;
  if (ids.length > 1) throw new Fault(`${given} is the beginning of several batches: ${ids.join(", ")}.`);
  const log = id === undefined ? undefined : store.batch(id);
  if (log) return log;
  throw new Fault(`There is no batch ${given}. \`list\` (or list_batches) shows those that there are.`);
}

/** The row of a batch that there is. */
export function rowOf({ store }: Context, log: BatchLog): BatchRow {
  const row = store.row(log.batchId);
  if (!row) throw new Error(`Internal error: batch ${log.batchId} has no row`);
  return row;
}
