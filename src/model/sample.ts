// The sample of a batch: the tasks that run first, to show what the others will cost.
import type { Task } from "./event.ts";
import { prerequisitesOf } from "./prerequisites.ts";
import type { BatchState, TaskState } from "./state.ts";

/**
 * This number of tasks (of those `among` them, 1-based and ascending), spread evenly over the list; always the same ones.
 * All, if there are no more. Tasks that wait for others come last, because nothing of a sample may wait for what is
 * outside of it.
 */
export function sampleOf(
  tasks: readonly Task[],
  size: number,
  among: readonly number[] = tasks.map((_, index) => index + 1),
): number[] {
  const waits = (number: number) => othersFor(tasks[number - 1]);
  const free = among.filter((number) => waits(number).length === 0);
  if (size < free.length) return spread(free, size);
  const chosen = new Set(free);
  // Those that are not among them have ended.
  const isOpen = new Set(among);
  for (let before = 0; chosen.size > before && chosen.size < size; ) {
    before = chosen.size;
    for (const number of among)
      if (chosen.size < size && waits(number).every((one) => chosen.has(one) || !isOpen.has(one)))
        chosen.add(number);
  }
  return [...chosen].sort((one, other) => one - other);
}

// What must have ended before it: prerequisites, and the one with the same prompt that answers for it.
function othersFor(task: Task | undefined): readonly number[] {
  const sameAs = task?.sameAs;
  return sameAs === undefined ? prerequisitesOf(task) : [...prerequisitesOf(task), sameAs];
}

/**
 * The sample once it is known which answers are remembered: of the tasks that have to run. Undefined if these are no more
 * than a sample.
 */
export function sampleAfterReuse({ batch, tasks, sample }: BatchState): ReadonlySet<number> | undefined {
  const open = tasks.filter(({ status }) => status !== "done").map(({ number }) => number);
  if (sample === undefined || open.length <= sample.size) return undefined;
  return new Set(sampleOf(batch.tasks, sample.size, open));
}

// The middle of each of `size` equal parts, so that neither end of the list counts twice.
function spread(numbers: readonly number[], size: number): number[] {
  return Array.from(
    { length: size },
    (_, index) => numbers[Math.floor(((index + 0.5) * numbers.length) / size)] ?? 0,
  );
}

/**
 * Whether somebody has paused the batch, and with it this task. Faster than `isWithheld`, which also looks at what it waits
 * for.
 */
export function isPausedFor({ paused }: BatchState, number: number): boolean {
  return paused !== undefined && !paused.but.has(number);
}

/**
 * Whether a queued task waits until somebody continues the batch, or for one that does. `known`: the answers for other
 * tasks of the same state, by number, which would otherwise be found again on each way to them.
 */
export function isWithheld(
  state: BatchState,
  { status, number }: TaskState,
  known = new Map<number, boolean>(),
): boolean {
  const { sample, paused, batch, tasks } = state;
  if (status !== "queued" || (sample === undefined && paused === undefined)) return false;
  if (isPausedFor(state, number) || (sample !== undefined && !sample.has(number))) return true;
  const before = known.get(number);
  if (before !== undefined) return before;
  const waits = othersFor(batch.tasks[number - 1]).some((one) => {
    const task = tasks[one - 1];
    return task !== undefined && isWithheld(state, task, known);
  });
  known.set(number, waits);
  return waits;
}

/** Whether nothing is left to run: every task has ended, or waits for somebody to continue the batch. */
export function isAtRest(state: BatchState): boolean {
  const known = new Map<number, boolean>();
  return state.tasks.every((task) => task.status === "done" || isWithheld(state, task, known));
}

/**
 * Whether nothing runs until somebody continues, retries or cancels it: its sample has ended, or somebody has paused it, and
 * what ran then has ended.
 */
export function isPaused({ endedAt, counts }: Pick<BatchState, "endedAt" | "counts">): boolean {
  return endedAt !== undefined && counts.queued > 0;
}
