// How a batch ended: THE list of its ends. Views, exit statuses, notifications and answers all derive from it.
import type { Canceller } from "./outcome.ts";
import type { BatchState, Counts } from "./state.ts";
import type { StateWord } from "./state-word.ts";

/** The kinds of an end, as answers name them. */
export const batchEnds = ["succeeded", "failed", "stopped", "interrupted"] as const;

/** `stopped`: some tasks were cancelled, and who or what did that. `interrupted`: its processes are gone. */
export type BatchEnd =
  | { kind: "succeeded" }
  | { kind: "failed" }
  | { kind: "stopped"; by: Canceller }
  | { kind: "interrupted" };

interface Standing {
  word: StateWord;
  counts: Counts;
  /** Who or what cancelled tasks, where some are cancelled. */
  stoppedBy?: Canceller | undefined;
}

/** Nothing while the batch runs. */
export function batchEndOf({ word, counts, stoppedBy }: Standing): BatchEnd | undefined {
  if (word === "running") return undefined;
  if (word === "interrupted") return { kind: "interrupted" };
  if (counts.cancelled > 0) return { kind: "stopped", by: stoppedBy ?? "user" };
  return { kind: counts.failed > 0 ? "failed" : "succeeded" };
}

/** Who or what cancelled tasks: whoever cancelled the whole batch, else whoever did so last. */
export function stoppedByOf({
  counts,
  cancelledBy,
  lastCancelledBy,
}: Pick<BatchState, "counts" | "cancelledBy" | "lastCancelledBy">): Canceller | undefined {
  return counts.cancelled > 0 ? (cancelledBy ?? lastCancelledBy) : undefined;
}

/** The end of a batch that stands as `word` says. */
export function endOfState(state: BatchState, word: StateWord): BatchEnd | undefined {
  return batchEndOf({ word, counts: state.counts, stoppedBy: stoppedByOf(state) });
}

/** The exit status of a command that followed a batch: whether all its tasks succeeded. */
export function exitStatusOf(end: BatchEnd | undefined): 0 | 1 {
  return end?.kind === "succeeded" ? 0 : 1;
}
