// What has happened in a batch since somebody looked last, and when to look again.
import type { BatchState, DoneTask } from "../model/state.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { Context } from "./context.ts";

/** When each of the tasks had ended that had by the time of a cursor (a sequence of the log), by number. */
export function endTimesAt({ store }: Context, log: BatchLog, cursor: number): Map<number, number> {
  const { state } = cursor >= log.sequence ? log : (store.batch(log.batchId, cursor) ?? {});
  return new Map(doneTasks(state).map((task) => [task.number, task.endedAt]));
}

/** Those that have ended since; one that was tried again has ended again. */
export function endedSince(state: BatchState, before: ReadonlyMap<number, number>): DoneTask[] {
  return doneTasks(state).filter((task) => before.get(task.number) !== task.endedAt);
}

/** Those that have ended; none of a batch that there is not. */
export function doneTasks(state: BatchState | undefined): DoneTask[] {
  return (state?.tasks ?? []).filter((task) => task.status === "done");
}

/**
 * In how many seconds to ask again, 5 to 60: the median of what tasks took, for half of them take no longer. As long
 * as none has ended, as long as the batch has run.
 */
export function nextCheckSeconds(state: BatchState, heldUntil?: number): number {
  // Until a hold ends, nothing happens.
  if (heldUntil !== undefined && state.counts.running === 0)
    return Math.min(3_600, Math.max(5, Math.ceil((heldUntil - Date.now()) / 1000)));
  const durations = doneTasks(state).flatMap(({ startedAt, endedAt }) =>
    startedAt === undefined ? [] : [endedAt - startedAt],
  );
  const ascending = durations.sort((a, b) => a - b);
  const expectedMs = ascending[Math.floor(ascending.length / 2)] ?? Math.max(0, Date.now() - state.createdAt);
  return Math.min(60, Math.max(5, Math.round(expectedMs / 1000)));
}
