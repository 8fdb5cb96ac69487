// Estimates what the rest of a batch will cost, from the tasks that ended.
import type { BatchState } from "./state.ts";

/** What a session of the batch costs, in US dollars: the median of those that ended and cost something. */
export function medianCostUsd({ spending: { ascending } }: BatchState): number | undefined {
  return ascending[Math.floor(ascending.length / 2)];
}

/**
 * What the remaining tasks are expected to cost, in US dollars. Undefined before the first end, and while the batch is
 * being cancelled.
 */
export function costToComeUsd(state: BatchState): number | undefined {
  if (state.cancelledBy !== undefined || state.endedAt !== undefined) return undefined;
  const median = medianCostUsd(state);
  return median === undefined ? undefined : median * (state.counts.queued + state.counts.running);
}
