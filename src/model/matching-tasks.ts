// Which tasks of two batches are the same: those with the same key, and without keys, with the same prompt.
import type { Batch } from "./event.ts";
import { givenCount } from "./summary.ts";
import { originalPrompt } from "./variants.ts";

/** The numbers (1-based) of a task in the earlier and in the later batch; undefined where it is missing. */
export type Match = readonly [before: number | undefined, after: number | undefined];

/** All tasks of both that were given, in the order of the later batch; those that it no longer has come last. */
export function matchingTasks(earlier: Batch, later: Batch): Match[] {
  const [before, after] = [given(earlier), given(later)];
  const byKey = new Map(
    before.tasks.flatMap(({ key }, index) => (key === undefined ? [] : [[key, index + 1]])),
  );
  const taken = new Set<number>();
  const matches = after.tasks.map(({ key }, index): [number | undefined, number] => {
    const same = key === undefined ? undefined : byKey.get(key);
    if (same !== undefined) taken.add(same);
    return [same, index + 1];
  });
  matchPrompts({ before, after, taken, matches });
  const gone = before.tasks.flatMap((_, index): Match[] =>
    taken.has(index + 1) ? [] : [[index + 1, undefined]],
  );
  return [...matches, ...gone];
}

type Given = Pick<Batch, "tasks">;

// A summary is about the others, and has no answer to compare with theirs.
function given(batch: Batch): Given {
  return { tasks: batch.tasks.slice(0, givenCount(batch)) };
}

interface Unmatched {
  before: Given;
  after: Given;
  /** Numbers of earlier tasks that are matched. */
  taken: Set<number>;
  matches: [number | undefined, number][];
}

// A task with a key is never the one with another key. Equal prompts are matched by number first, then in their order.
function matchPrompts({ before, after, taken, matches }: Unmatched): void {
  const earlier = before.tasks.map((task) => ({ key: task.key, prompt: originalPrompt(task) }));
  const isFree = (number: number, hasKey: boolean) =>
    !taken.has(number) && !(hasKey && earlier[number - 1]?.key !== undefined);
  const open = () => matches.filter(([same]) => same === undefined);
  const take = (match: [number | undefined, number], number: number) => {
    taken.add(number);
    match[0] = number;
  };
  for (const match of open()) {
    const task = after.tasks[match[1] - 1];
    const same = earlier[match[1] - 1];
    if (!task || !same || !isFree(match[1], task.key !== undefined)) continue;
    if (originalPrompt(task) === same.prompt) take(match, match[1]);
  }
  const byPrompt = new Map<string, number[]>();
  for (const [index, { prompt }] of earlier.entries())
    if (!taken.has(index + 1)) byPrompt.set(prompt, [...(byPrompt.get(prompt) ?? []), index + 1]);
  for (const match of open()) {
    const task = after.tasks[match[1] - 1];
    const numbers = (task && byPrompt.get(originalPrompt(task))) ?? [];
    const number = numbers.find((one) => isFree(one, task?.key !== undefined));
    if (number !== undefined) take(match, number);
  }
}
