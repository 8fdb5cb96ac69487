// Tasks with the same prompt and options (`sameAs`): one of them runs, and its answer is that of all.
import type { Batch, Task } from "./event.ts";

/** All tasks with the same prompt and options, ascending, this one included; only this one if there is no other. */
export function equalsOf({ tasks }: Pick<Batch, "tasks">, number: number): readonly number[] {
  let known = groups.get(tasks);
  if (!known) {
    known = new Map();
    for (const [index, { sameAs }] of tasks.entries()) {
      if (sameAs === undefined) continue;
      const group = known.get(sameAs) ?? [sameAs];
      group.push(index + 1);
      known.set(sameAs, group);
    }
    groups.set(tasks, known);
  }
  return known.get(tasks[number - 1]?.sameAs ?? number) ?? [number];
}

// By the list of tasks, which stays the same except for the options that a retry changes.
const groups = new WeakMap<Batch["tasks"], Map<number, number[]>>();

/** Whether tasks with the same prompt still differ: in what checks them, or in the files that they depend on. */
export function dependsOnValues({ expect, inputs }: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify([expect, inputs]).includes("{{");
}

/** How many sessions it takes to run these tasks again. */
export function sessionsFor(batch: Pick<Batch, "tasks">, numbers: readonly number[]): number {
  return new Set(numbers.map((number) => equalsOf(batch, number)[0])).size;
}

/**
 * The tasks after some of them changed: those of a group that changed, and those that did not, answer for each other no
 * more. Those whose new options name values of their tasks answer for nobody. `changed`: their numbers; 1-based.
 */
export function withSplitGroups(tasks: readonly Task[], changed: ReadonlySet<number>): Task[] {
  const firsts = new Map<string, number>();
  const split = [...tasks];
  for (const [index, task] of tasks.entries()) {
    const number = index + 1;
    const isChanged = changed.has(number);
    const isAlone = isChanged && dependsOnValues(task.options ?? {});
    const part = isAlone ? `alone ${number}` : `${task.sameAs ?? number} ${isChanged}`;
    const first = firsts.get(part);
    if (first === undefined) firsts.set(part, number);
    if (task.sameAs === undefined || task.sameAs === first) continue;
    const { sameAs: _, ...alone } = task;
    split[index] = first === undefined ? alone : { ...alone, sameAs: first };
  }
  return split;
}
