// Finds the batch that was named.
import type { BatchId } from "../model/batch-id.ts";
import { type Prose, prose } from "../model/prose.ts";
import { countText, timeText } from "../report/amounts.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { settledRow, stateWordOf } from "../store/batch-status.ts";
import type { BatchRow, Store } from "../store/store.ts";
import { type Context, isStoreThere, UserError } from "./context.ts";
import { openStore } from "./open-store.ts";

/** Like `findBatch`, before the store is open: first resumes batches that lost their processes. */
export async function resolveBatch(context: Context, given: string): Promise<BatchLog> {
  await openStore(context);
  return findBatch(context, given);
}

/**
 * By its id, the beginning of its id, its name, or `latest`. Throws `UserError` if there is none, or more than one: a whole id
 * is always meant as that.
 */
export function findBatch(context: Context, given: string): BatchLog {
  // Searching creates no store.
  if (!isStoreThere(context)) throw new UserError(unknownProse(given));
  const { store } = context;
  const id = given === "latest" ? store.list({ limit: 1 })[0]?.batchId : idOf(store, given);
  const log = id === undefined ? undefined : store.batch(id);
  if (log) return log;
  throw new UserError(unknownProse(given));
}

function idOf(store: Store, given: string): BatchId | undefined {
  const begin = store.withPrefix(given);
  const whole = begin.find((id) => id === given);
  if (whole !== undefined) return whole;
  const named = store.named(given);
  const [id, ...others] = new Set([...named, ...begin]);
  if (others.length > 0) throw new UserError(severalText(store, given, { named, begin }));
  return id;
}

/** Most batches that a message about several names. */
const mostNamed = 5;

// With their states and times: those of a nightly job share a name.
function severalText(
  store: Store,
  given: string,
  { named, begin }: { named: readonly BatchId[]; begin: readonly BatchId[] },
): string {
  const all = [...new Set([...named, ...begin])];
  const shown = all.slice(0, mostNamed).map((id) => {
    const row = store.row(id);
    return row ? `${id} (${stateWordOf(row)}, ${timeText(row.createdAt)})` : id;
  });
  const more = all.length > shown.length ? `, and ${all.length - shown.length} more` : "";
  const what = [
    ...(named.length > 0 ? [`the name of ${countText(named.length, "batch", "batches")}`] : []),
    ...(begin.length > 0
      ? [`the beginning of ${begin.length === 1 ? "the id of another" : "several ids"}`]
      : []),
  ].join(", and ");
  return `${JSON.stringify(given)} is ${what}: ${shown.join(", ")}${more}. Give the id of one.`;
}

function unknownProse(given: string): Prose {
  if (given === "latest") return "There is no batch yet.";
  return prose`There is no batch ${given}. ${{ do: "list" }} shows all batches.`;
}

/** The row of an existing batch, settled. */
export function rowOf({ store }: Pick<Context, "store">, log: Pick<BatchLog, "batchId">): BatchRow {
  const row = store.row(log.batchId);
  if (!row) throw new Error(`Internal error: batch ${log.batchId} has no row`);
  return settledRow(row, store);
}
