// What must have ended before a task may start, and what follows for the others if it did not succeed.
import type { Batch, Task } from "./event.ts";
import type { BatchState, TaskState } from "./state.ts";

/** The tasks that a task starts after; 1-based. A summary starts after what it reads. */
export function prerequisitesOf(task: Task | undefined): readonly number[] {
  const { summary, after = [] } = task ?? {};
  if (!summary) return after;
  return Array.from({ length: summary.last - summary.first + 1 }, (_, index) => summary.first + index);
}

/** What a task waits for: nothing, an open task, or nothing any more because these did not succeed. */
export type Wait =
  | { kind: "free" }
  /** `index`: the place of that task in its prerequisites. */
  | { kind: "for"; task: number; index: number }
  | { kind: "never" };

/** What a queued task waits for. The prerequisites before `from` are not looked at again. */
export function waitOf({ batch, tasks }: BatchState, number: number, from = 0): Wait {
  const own = batch.tasks[number - 1];
  const all = prerequisitesOf(own);
  for (let index = from; index < all.length; index++) {
    const task = all[index] ?? 0;
    const state = tasks[task - 1];
    if (state?.status !== "done") return { kind: "for", task, index };
    if (state.outcome.kind !== "succeeded" && !own?.summary) return { kind: "never" };
  }
  return { kind: "free" };
}

/** A queued task that will never start, because others did not succeed. */
export interface Skipped {
  number: number;
  /** Those that did not succeed by themselves, not those that they keep from starting; 1-based. */
  after: readonly number[];
  /** The prerequisite that keeps it from starting, if that was not started either. */
  through?: number;
}

/** The queued tasks among these that will never start, and all that hang on them, each behind what keeps it from starting. */
export function skippedFrom(state: BatchState, numbers: Iterable<number>): Skipped[] {
  const found = new Map<number, Skipped>();
  const pending = [...numbers];
  const dependents = dependentsOf(state.batch);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next) || state.tasks[next - 1]?.status !== "queued") continue;
    const skipped = skippedBy(state, next, found);
    if (!skipped) continue;
    found.set(next, skipped);
    pending.push(...(dependents.get(next) ?? []));
  }
  return [...found.values()];
}

function skippedBy(
  state: BatchState,
  number: number,
  found: ReadonlyMap<number, Skipped>,
): Skipped | undefined {
  // It also starts after failures.
  if (state.batch.tasks[number - 1]?.summary) return undefined;
  const after = new Set<number>();
  let through: number | undefined;
  for (const prerequisite of prerequisitesOf(state.batch.tasks[number - 1])) {
    const causes = found.get(prerequisite)?.after ?? causesOf(state.tasks[prerequisite - 1]);
    for (const cause of causes) {
      after.add(cause);
      if (cause !== prerequisite) through = prerequisite;
    }
  }
  if (after.size === 0) return undefined;
  return { number, after: [...after], ...(through === undefined ? {} : { through }) };
}

function causesOf(task: TaskState | undefined): readonly number[] {
  if (task?.status !== "done" || task.outcome.kind === "succeeded") return [];
  return task.outcome.kind === "not-started" ? (task.outcome.after ?? [task.number]) : [task.number];
}

const known = new WeakMap<Batch["tasks"], ReadonlyMap<number, readonly number[]>>();

/** The tasks that start after a task, by its number. */
export function dependentsOf({ tasks }: Pick<Batch, "tasks">): ReadonlyMap<number, readonly number[]> {
  const before = known.get(tasks);
  if (before) return before;
  const dependents = new Map<number, number[]>();
  for (const [index, task] of tasks.entries()) {
    for (const prerequisite of prerequisitesOf(task)) {
      const others = dependents.get(prerequisite);
      if (others) others.push(index + 1);
      else dependents.set(prerequisite, [index + 1]);
    }
  }
  known.set(tasks, dependents);
  return dependents;
}

/**
 * The tasks to run again with these: those that they kept from starting, and those that kept them from it; 1-based,
 * ascending.
 */
export function withSkipped(state: BatchState, numbers: readonly number[]): number[] {
  const again = new Set(numbers);
  const pending = [...numbers];
  const dependents = dependentsOf(state.batch);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const task = state.batch.tasks[next - 1];
    // A summary does without what failed.
    const needed = task?.summary
      ? []
      : prerequisitesOf(task).filter((one) => hasNotSucceeded(state.tasks[one - 1]));
    const kept = (dependents.get(next) ?? []).filter((one) => wasSkipped(state.tasks[one - 1]));
    for (const one of [...needed, ...kept]) {
      if (again.has(one)) continue;
      again.add(one);
      pending.push(one);
    }
  }
  return [...again].sort((a, b) => a - b);
}

function hasNotSucceeded(task: TaskState | undefined): boolean {
  return task?.status === "done" && task.outcome.kind !== "succeeded";
}

function wasSkipped(task: TaskState | undefined): boolean {
  return task?.status === "done" && task.outcome.kind === "not-started" && task.outcome.after !== undefined;
}
