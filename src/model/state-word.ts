// The state of a batch in one word.
import type { Counts } from "./state.ts";

/**
 * `paused`: the sample has ended, or somebody has paused it, and the rest waits for somebody to continue it. `interrupted`:
 * not ended, and without a runner.
 */
export const stateWords = ["running", "paused", "finished", "cancelled", "interrupted"] as const;
export type StateWord = (typeof stateWords)[number];

/**
 * The word for a batch whose end or pause is in its log, or about to be: only a pause leaves queued tasks. One that found
 * enough ended as it was meant to.
 */
export function endedWord({ counts, cancelledBy }: Ended): "paused" | "finished" | "cancelled" {
  if (counts.queued > 0) return "paused";
  return cancelledBy === undefined || cancelledBy === "stop-when" ? "finished" : "cancelled";
}

interface Ended {
  counts: Counts;
  cancelledBy?: unknown;
}
