// What follows for others from a task that fails, before they have ended: equal ones end like it, and those that start after
// it never start.
import { equalsOf } from "./equal-groups.ts";
import { dependentsOf } from "./prerequisites.ts";
import { isWithheld } from "./sample.ts";
import type { BatchState } from "./state.ts";
import { givenCount } from "./summary.ts";

/**
 * The tasks that fail with these, which are about to fail, and these themselves; 1-based. Without those that wait until
 * somebody continues the batch: by then, a retry may have changed everything.
 */
export function doomedBy(state: BatchState, failing: readonly number[]): Set<number> {
  const doomed = new Set(failing);
  /** From which task on the equal ones are in it, by the first one of each group. */
  const from = new Map<number, number>();
  const withheld = new Map<number, boolean>();
  const dependents = dependentsOf(state.batch);
  const given = givenCount(state.batch);
  for (const number of doomed) {
    const equals = equalsOf(state.batch, number);
    const [first = number] = equals;
    const known = from.get(first) ?? Number.POSITIVE_INFINITY;
    const likeIt = number < known ? equals.filter((equal) => equal > number && equal < known) : [];
    from.set(first, Math.min(known, number));
    for (const one of [...likeIt, ...(dependents.get(number) ?? [])]) {
      const task = state.tasks[one - 1];
      // A summary starts after failures, too.
      if (task?.status === "queued" && one <= given && !isWithheld(state, task, withheld)) doomed.add(one);
    }
  }
  return doomed;
}

/** How many of the tasks that were given have failed. */
export function failedCount({ batch, tasks, counts }: BatchState): number {
  const summaries = tasks.slice(givenCount(batch));
  const isFailed = (task: (typeof tasks)[number]) =>
    task.status === "done" && task.outcome.kind !== "succeeded" && task.outcome.kind !== "cancelled";
  return counts.failed - summaries.filter(isFailed).length;
}
