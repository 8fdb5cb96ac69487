// What went wrong in a batch, grouped: 300 tasks that fail for one reason are one thing to know and to fix.

import type { Batch } from "../../../model/event.ts";
import { rangesOf } from "../../../model/number-ranges.ts";
import type { BatchState, DoneTask } from "../../../model/state.ts";
import { adviceFor } from "../../../report/advice.ts";
import { adviceFactsOf } from "../../../report/advice-facts.ts";
import { countText } from "../../../report/amounts.ts";
import { remarksOf } from "../../../report/answer.ts";
import { numberAndKey } from "../../../report/label.ts";
import { outcomeText } from "../../../report/outcome-text.ts";

/** Tasks with the same cause and the same advice. */
export interface FailureGroup {
  /** By task number. */
  tasks: readonly [DoneTask, ...DoneTask[]];
  /** What happened, in a sentence; if the tasks differ, the first one's. */
  happened: string;
  /** Whether all of them have exactly this sentence. */
  isAlike: boolean;
}

/** The groups, largest first. Without cancelled tasks, which somebody wanted. */
export function failureGroups(state: BatchState): FailureGroup[] {
  const problems = state.tasks.flatMap((task) =>
    task.status === "done" && isProblem(task) ? [{ task, key: causeOf(state, task) }] : [],
  );
  const groups = [...Map.groupBy(problems, ({ key }) => key).values()].flatMap((members): FailureGroup[] => {
    const [first, ...others] = members.map(({ task }) => task);
    if (!first) return [];
    const happened = happenedText(first);
    const isAlike = others.every((task) => happenedText(task) === happened);
    return [{ tasks: [first, ...others], happened, isAlike }];
  });
  return groups.sort((a, b) => b.tasks.length - a.tasks.length);
}

/** Equal text for tasks with the same cause. Without the session id, which would make equal advice different. */
export function causeOf(state: BatchState, task: DoneTask): string {
  const { outcome } = task;
  const facts = adviceFactsOf(state, task, "command-line");
  const advice = adviceFor(outcome, { ...facts, tasks: undefined, sessionId: undefined });
  const kind = outcome.kind === "failed" ? outcome.reason : outcome.kind;
  return JSON.stringify([kind, advice, remarksOf(task, "command-line")]);
}

/** Whether an ended task is more than a plain success or a cancellation. */
export function isProblem(task: DoneTask): boolean {
  if (task.outcome.kind === "cancelled") return false;
  return task.outcome.kind !== "succeeded" || isOdd(task);
}

function isOdd(task: DoneTask): boolean {
  return (task.usage?.denials?.length ?? 0) > 0 || remarksOf(task, "command-line").length > 0;
}

/** What happened to a task, in a sentence. */
export function happenedText(task: DoneTask): string {
  const { outcome, usage } = task;
  const said =
    outcome.kind !== "succeeded"
      ? outcomeText(outcome)
      : usage?.denials?.length
        ? "Succeeded, with tools denied"
        : "Succeeded, with a remark";
  return /[.!?]$/.test(said) ? said : `${said}.`;
}

/** How many ranges of numbers to list. */
const mostRanges = 12;
/** How many tasks to list with their keys. */
const mostKeys = 5;

/** "task 3", "tasks 3, 7 to 9, 41"; a few with their keys. */
export function tasksText(tasks: readonly DoneTask[], batch: Pick<Batch, "tasks">): string {
  const haveKeys = tasks.some(({ number }) => batch.tasks[number - 1]?.key !== undefined);
  if (haveKeys && tasks.length <= mostKeys)
    return `${tasks.length === 1 ? "task" : "tasks"} ${tasks.map(({ number }) => numberAndKey(batch, number)).join(", ")}`;
  const ranges = rangesOf(tasks.map(({ number }) => number));
  const named = ranges
    .slice(0, mostRanges)
    .map(({ first, last }) =>
      first === last ? String(first) : last === first + 1 ? `${first}, ${last}` : `${first} to ${last}`,
    );
  const left = ranges.slice(mostRanges).reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const more = left > 0 ? `, and ${countText(left, "more", "more")}` : "";
  return `${tasks.length === 1 ? "task" : "tasks"} ${named.join(", ")}${more}`;
}
