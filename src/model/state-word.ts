/** The state of a batch in one word. `interrupted`: not ended, and without a runner. */
export const stateWords = ["running", "finished", "cancelled", "interrupted"] as const;
export type StateWord = (typeof stateWords)[number];

/** The word for a batch whose end is in its log. One that found enough ended as it was meant to. */
export function endedWord({ cancelledBy }: { cancelledBy?: unknown }): "finished" | "cancelled" {
  return cancelledBy === undefined || cancelledBy === "stop-when" ? "finished" : "cancelled";
}
