// Estimates how long a batch may still take, from the tasks that have ended.
import type { BatchState } from "../model/state.ts";
import { roughText } from "./amounts.ts";

/**
 * Milliseconds until the batch ends if the rest is like the tasks so far. Undefined before the first end, and while the
 * batch is being cancelled. `now` and `heldUntil`, the end of a hold, in milliseconds since 1970.
 */
export function timeLeftMs(state: BatchState, now: number, heldUntil?: number): number | undefined {
  if (state.cancelledBy !== undefined || state.endedAt !== undefined) return undefined;
  let total = 0;
  let ended = 0;
  const running: number[] = [];
  for (const task of state.tasks) {
    if (task.status === "running") running.push(Math.max(0, now - task.startedAt));
    // Cancelled tasks, and those that never started, do not show how long one takes.
    if (task.status !== "done" || task.startedAt === undefined || task.outcome.kind === "cancelled") continue;
    total += Math.max(0, task.endedAt - task.startedAt);
    ended++;
  }
  if (ended === 0) return undefined;
  const mean = total / ended;
  // One that has already exceeded the mean gets another quarter of it.
  const rests = running.map((elapsed) => Math.max(mean - elapsed, mean / 4));
  const work = rests.reduce((sum, rest) => sum + rest, state.counts.queued * mean);
  const longest = rests.reduce((most, rest) => Math.max(most, rest), 0);
  const atWork = Math.max(work / atOnceOf(state), longest);
  return state.counts.queued > 0 && heldUntil !== undefined ? Math.max(0, heldUntil - now) + atWork : atWork;
}

// How many run at once. During a hold, or while all wait for something, that may be none; then as many as have run so
// far.
function atOnceOf(state: BatchState): number {
  const { running, queued } = state.counts;
  const worked = state.tasks.reduce(
    (sum, task) =>
      task.status === "done" && task.startedAt !== undefined ? sum + task.endedAt - task.startedAt : sum,
    0,
  );
  const average = worked / Math.max(1, state.changedAt - state.createdAt);
  return Math.max(1, running, Math.min(average, running + queued));
}

/** An estimate in milliseconds as "under 10 s", "about 40 s", "about 12 min" or "about 3 h". */
export function timeLeftText(milliseconds: number): string {
  if (milliseconds < 10_000) return "under 10 s";
  const precisionMs = milliseconds < 115_000 ? 10_000 : 60_000;
  return `about ${roughText(Math.round(milliseconds / precisionMs) * precisionMs)}`;
}
