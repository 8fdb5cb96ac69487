// The addresses of what `ui` serves, below that of its server.
import type { BatchId } from "../../model/batch-id.ts";

/** Those of a batch. */
export function addressesOf(batchId: BatchId) {
  const batch = `/batches/${batchId}`;
  return {
    page: batch,
    events: `${batch}/events`,
    texts: `${batch}/texts.js`,
    table: `${batch}/table.csv`,
    task: (number: number) => `${batch}/tasks/${number}`,
    session: (number: number) => `${batch}/sessions/${number}`,
    sessionFeed: (number: number) => `${batch}/sessions/${number}/feed.js`,
  };
}

/** The list of all batches. */
export const listAddress = "/";
/** Where its page hears of changes. */
export const listEvents = "/events";
