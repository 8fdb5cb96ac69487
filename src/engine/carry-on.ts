// Carries on what lost its processes: after a crash of ours, or of a client that ended a whole group of them.
import type { Account } from "../model/event.ts";
import { livenessOf } from "../platform/process.ts";
import type { BatchRow, Store } from "../store/store.ts";
import { startKeeper } from "./start.ts";

/** Older than this, nobody wants a batch to start again by itself, in milliseconds (architecture). */
const freshMs = 10 * 60_000;

/**
 * Starts a keeper for each batch of this account that has neither runner nor keeper, and whose runner was alive
 * within the last ten minutes. Older ones wait for a retry. Of several who do this at once, one keeper stays.
 */
export async function carryOn(store: Store, account: Account): Promise<BatchRow[]> {
  const lost = store
    .unended(Date.now() - freshMs)
    .filter((row) => row.account === account.hash && row.epoch > 0 && isAbandoned(row));
  for (const row of lost) await startKeeper(store, row.batchId);
  return lost;
}

/** Whether nobody carries the batch, nor ever will by himself. */
export function isAbandoned({ runner, keeper }: BatchRow): boolean {
  return [runner, keeper].every((identity) => !identity || livenessOf(identity) === "dead");
}
