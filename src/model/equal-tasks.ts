// When one of several equal tasks runs, waits, or ends like another.
import { equalsOf } from "./equal-groups.ts";
import { isWithheld } from "./sample.ts";
import { type BatchState, canRetry, type DoneTask, taskOf } from "./state.ts";

/** What happens to a queued task: it runs, waits for one like it, or ends like that one. */
export type Turn =
  | { kind: "run" }
  /** `task`: the one that it waits for first; 1-based. */
  | { kind: "wait"; task: number }
  | { kind: "like"; task: DoneTask };

/** What happens to a queued task now. `number` is 1-based. */
export function turnOf(state: BatchState, number: number): Turn {
  const equals = equalsOf(state.batch, number);
  let failed: DoneTask | undefined;
  for (const equal of equals) {
    if (equal >= number) break;
    const task = taskOf(state, equal);
    if (task.status !== "done") {
      // One outside of a sample runs only when somebody continues the batch; nothing within it may wait for that.
      if (!isWithheld(state, task)) return { kind: "wait", task: equal };
    } else if (isAnswerFor(state, number, task)) return { kind: "like", task };
    else if (isFailureFor(state, number, task)) failed ??= task;
  }
  return failed ? { kind: "like", task: failed } : { kind: "run" };
}

/** How many sessions open tasks still take: equal ones share one, and none is needed where an answer is there. */
export function sessionsToCome(state: BatchState): number {
  const counted = new Set<number>();
  let sessions = 0;
  for (const { number, status } of state.tasks) {
    if (status === "done") continue;
    const [first = number] = equalsOf(state.batch, number);
    if (counted.has(first) || (status === "queued" && turnOf(state, number).kind === "like")) continue;
    counted.add(first);
    sessions++;
  }
  return sessions;
}

// Who retries a task that has an answer wants a new one: not that one, nor an older one.
function isAnswerFor(state: BatchState, number: number, { outcome, endedAt }: DoneTask): boolean {
  if (outcome.kind !== "succeeded") return false;
  const hadAnswer = taskOf(state, number).attempts.some((attempt) => attempt.outcome?.kind === "succeeded");
  return !hadAnswer || endedAt > askedAgainAt(state, number);
}

// A cancelled one says nothing about the others. One that failed before a retry of this one says nothing either: the
// retry is meant to run it.
function isFailureFor(state: BatchState, number: number, task: DoneTask): boolean {
  const isFailed = canRetry(task) && task.outcome.kind !== "cancelled";
  return isFailed && task.endedAt > askedAgainAt(state, number);
}

function askedAgainAt({ earlierEnds }: BatchState, number: number): number {
  return earlierEnds.get(number)?.at(-1) ?? Number.NEGATIVE_INFINITY;
}
