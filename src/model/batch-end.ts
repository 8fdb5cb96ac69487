// How a batch ended: the only list of ends. Views, exit statuses, notifications and answers derive from it.
import { exitStatuses } from "./exit-status.ts";
import type { AccessKind, Canceller } from "./outcome.ts";
import type { BatchState, Counts } from "./state.ts";
import type { StateWord } from "./state-word.ts";

/** The kinds of ends, as answers name them. */
export const batchEnds = ["succeeded", "failed", "stopped", "paused", "interrupted"] as const;

/**
 * `stopped`: some tasks were cancelled; `by` says who or what did that. `paused`: its sample has ended, or somebody has paused
 * it, and the rest waits for somebody to continue it. `interrupted`: its processes are gone. A batch that ended because enough was found
 * (`stopWhen`) has succeeded.
 */
export type BatchEnd =
  | { kind: "succeeded"; by?: "stop-when" }
  | { kind: "failed" }
  | Stopped
  | { kind: "paused" }
  | { kind: "interrupted" };

interface Stopped {
  kind: "stopped";
  by: Exclude<Canceller, "stop-when">;
  /** For a hold: what was missing; undefined if an older log does not say. */
  access?: AccessKind;
  /** For the end of the waiting process: which command or tool it had called. */
  startedBy?: string;
}

interface Standing {
  word: StateWord;
  counts: Counts;
  /** Who or what cancelled tasks, if some are cancelled; or that enough was found. */
  stoppedBy?: Canceller | undefined;
  lackedAccess?: AccessKind | undefined;
  startedBy?: string | undefined;
}

/** Undefined while the batch runs. */
export function batchEndOf(standing: Standing): BatchEnd | undefined {
  const { word, counts } = standing;
  if (word === "running") return undefined;
  if (word === "interrupted" || word === "paused") return { kind: word };
  if (counts.cancelled > 0 || standing.stoppedBy === "stop-when") return stoppedAs(standing);
  return { kind: counts.failed > 0 ? "failed" : "succeeded" };
}

function stoppedAs({ stoppedBy: by = "user", lackedAccess: access, startedBy }: Standing): BatchEnd {
  if (by === "stop-when") return { kind: "succeeded", by };
  return {
    kind: "stopped",
    by,
    ...(by === "hold" && access !== undefined ? { access } : {}),
    ...(by === "leash" && startedBy !== undefined ? { startedBy } : {}),
  };
}

/** Who or what cancelled tasks: the whole batch if it was cancelled as one, otherwise the last ones. */
function stoppedByOf({
  counts,
  cancelledBy,
  lastCancelledBy,
}: Pick<BatchState, "counts" | "cancelledBy" | "lastCancelledBy">): Canceller | undefined {
  // The last task may have been the one that was found: then nothing was left to cancel.
  if (cancelledBy === "stop-when") return cancelledBy;
  return counts.cancelled > 0 ? (cancelledBy ?? lastCancelledBy) : undefined;
}

/** The end of a batch whose state is `word`. */
export function endOfState(state: BatchState, word: StateWord): BatchEnd | undefined {
  const { counts, lackedAccess, batch } = state;
  return batchEndOf({
    word,
    counts,
    stoppedBy: stoppedByOf(state),
    lackedAccess,
    startedBy: batch.startedBy,
  });
}

/**
 * The exit status of a command that followed a batch: 0 if all its tasks succeeded, 4 if it has paused. `isAccepted`:
 * whether failures of tasks count for nothing (`--fail-on`); a batch that was stopped or interrupted has still not done
 * its work.
 */
export function exitStatusOf(end: Pick<BatchEnd, "kind"> | undefined, isAccepted = false): 0 | 1 | 4 {
  if (end?.kind === "paused") return exitStatuses.paused.status;
  const isGood = end?.kind === "succeeded" || (end?.kind === "failed" && isAccepted);
  return isGood ? exitStatuses.success.status : exitStatuses.failure.status;
}
