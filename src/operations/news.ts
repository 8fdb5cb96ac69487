// What has happened in a batch since the last look, and when to look again.

import type { BatchState, DoneTask } from "../model/state.ts";
import { passesWithoutSessions, waitKind } from "../model/wait-reason.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow } from "../store/batch-status.ts";
import type { BatchRow } from "../store/store.ts";
import type { Context } from "./context.ts";

/** When tasks ended that had ended by a cursor (a sequence of the log), by task number. */
export function endTimesAt({ store }: Context, log: BatchLog, cursor: number): Map<number, number> {
  const { state } = cursor >= log.sequence ? log : (store.batch(log.batchId, cursor) ?? {});
  return new Map(doneTasks(state).map((task) => [task.number, task.endedAt]));
}

/** Tasks that have ended since; a retried task has ended again. */
export function endedSince(state: BatchState, before: ReadonlyMap<number, number>): DoneTask[] {
  return doneTasks(state).filter((task) => before.get(task.number) !== task.endedAt);
}

/** Whether a task failed, which the caller may want to handle before the others have ended. */
export function isFailure({ outcome: { kind } }: DoneTask): boolean {
  return kind !== "succeeded" && kind !== "cancelled";
}

/** A shorter pause is waited for, in milliseconds. */
const shortPauseMs = 5_000;

/** Whether nothing runs, and nothing will for a while. */
export function isHeldLong(row: BatchRow): boolean {
  const held = heldNow(row);
  if (!held || row.counts.running > 0 || passesWithoutSessions(held)) return false;
  return (held.until ?? Infinity) > Date.now() + shortPauseMs;
}

/** What the caller knows from the last answer. */
interface Known {
  /** Of the log. */
  sequence: number;
  /** What held the batch then. */
  held: string | undefined;
}

/** The format of cursors in answers and inputs. */
export const cursorPattern = /^\d{1,15}(?:-[a-z0-9]{1,13})?$/;

export function cursorText({ sequence }: BatchLog, row: BatchRow): string {
  const held = isHeldLong(row) ? heldMark(row) : undefined;
  return held === undefined ? String(sequence) : `${sequence}-${held}`;
}

export function cursorFrom(text: string): Known {
  const [sequence = "0", held] = text.split("-");
  return { sequence: Number(sequence), held };
}

/** What holds a batch, for a cursor: unchanged while only its figures change. */
export function heldMark({ held }: BatchRow): string | undefined {
  return held && Bun.hash(waitKind(held)).toString(36);
}

/** The tasks that have ended; none if there is no batch. */
export function doneTasks(state: BatchState | undefined): DoneTask[] {
  return (state?.tasks ?? []).filter((task) => task.status === "done");
}

/** The shortest time until a caller should look again, or gets a failure, in seconds. */
export const leastCheckSeconds = 5;

/**
 * When to ask again, in 5 to 60 seconds: the median duration of tasks, because half of them take no longer. Before the
 * first end, the batch's duration so far.
 */
export function nextCheckSeconds(state: BatchState, heldUntil?: number): number {
  // Until it is held no more, nothing happens.
  if (heldUntil !== undefined && state.counts.running === 0)
    return Math.min(3_600, Math.max(leastCheckSeconds, Math.ceil((heldUntil - Date.now()) / 1000)));
  const durations = doneTasks(state).flatMap(({ startedAt, endedAt }) =>
    startedAt === undefined ? [] : [endedAt - startedAt],
  );
  const ascending = durations.sort((a, b) => a - b);
  const expectedMs = ascending[Math.floor(ascending.length / 2)] ?? Math.max(0, Date.now() - state.createdAt);
  return Math.min(60, Math.max(leastCheckSeconds, Math.round(expectedMs / 1000)));
}
