// What the rest of a batch may still take, told from what ended so far.
import type { BatchState } from "./state.ts";

/** What a session of the batch costs, in US dollars: the median of those that ended and spent something. */
export function medianCostUsd({ spending: { ascending } }: BatchState): number | undefined {
  return ascending[Math.floor(ascending.length / 2)];
}

/**
 * What the tasks that have not ended are expected to cost, in US dollars. Nothing where nothing is known: before the
 * first end, and when the batch is being cancelled.
 */
export function costToComeUsd(state: BatchState): number | undefined {
  if (state.cancelledBy !== undefined || state.endedAt !== undefined) return undefined;
  const median = medianCostUsd(state);
  return median === undefined ? undefined : median * (state.counts.queued + state.counts.running);
}
