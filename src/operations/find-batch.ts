// Finds the batch that was named.
import { type Prose, prose } from "../model/prose.ts";
import { countText } from "../report/amounts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { BatchRow } from "../store/store.ts";
import { type Context, isStoreThere, UserError } from "./context.ts";
import { openStore } from "./open-store.ts";

/** Like `findBatch`, before the store is open: first resumes batches that lost their processes. */
export async function resolveBatch(context: Context, given: string): Promise<BatchLog> {
  await openStore(context);
  return findBatch(context, given);
}

/** By its id, the beginning of its id, or `latest`. Throws `UserError` if there is none, or more than one. */
export function findBatch(context: Context, given: string): BatchLog {
  // Searching creates no store.
  if (!isStoreThere(context)) throw new UserError(unknownProse(given, ""));
  const { store } = context;
  const ids =
    given === "latest" ? store.list({ limit: 1 }).map(({ batchId }) => batchId) : store.withPrefix(given);
  const [id] = ids;
  if (ids.length > 1) throw new UserError(`${given} is the beginning of several batches: ${ids.join(", ")}.`);
  const log = id === undefined ? undefined : store.batch(id);
  if (log) return log;
  throw new UserError(unknownProse(given, namedText(store.named(given))));
}

function unknownProse(given: string, named: string): Prose {
  if (given === "latest") return "There is no batch yet.";
  return prose`There is no batch ${given}. ${named}${{ do: "list" }} shows all batches.`;
}

// Many batches may share a name, as those of a nightly job do, so a batch is not found by it.
function namedText(ids: readonly string[]): string {
  const [newest] = ids;
  if (newest === undefined) return "";
  return ids.length === 1
    ? `That is a batch's name; give its id instead: ${newest}. `
    : `That is the name of ${countText(ids.length, "batch", "batches")}; give the id of one instead, such as ${newest}, the newest. `;
}

/** The row of an existing batch. */
export function rowOf({ store }: Pick<Context, "store">, log: BatchLog): BatchRow {
  const row = store.row(log.batchId);
  if (!row) throw new Error(`Internal error: batch ${log.batchId} has no row`);
  return row;
}
