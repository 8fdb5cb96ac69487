// What went wrong in a batch, gathered: 300 tasks that fail for one reason are one thing to know and one thing to do.
import { rangesOf } from "../../../model/number-ranges.ts";
import type { BatchState, DoneTask } from "../../../model/state.ts";
import { adviceFor } from "../../../report/advice.ts";
import { adviceFactsOf } from "../../../report/advice-facts.ts";
import { countText } from "../../../report/amounts.ts";
import { remarksOf } from "../../../report/answer.ts";
import { outcomeText } from "../../../report/outcome-text.ts";

/** Tasks with the same cause, and the same thing to do about it. */
export interface FailureGroup {
  /** In the order of their numbers. */
  tasks: readonly [DoneTask, ...DoneTask[]];
  /** What happened, in a sentence; of several that say it differently, the first. */
  happened: string;
  /** Whether all of them say just that. */
  isAlike: boolean;
}

/** The groups, the largest first. Cancelled tasks are in none: somebody wanted that. */
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

/** Tasks of one cause have one text for it. Without the session id, which would keep equal advice apart. */
export function causeOf(state: BatchState, task: DoneTask): string {
  const { outcome } = task;
  const facts = adviceFactsOf(state, task, "command-line");
  const advice = adviceFor(outcome, { ...facts, tasks: undefined, sessionId: undefined });
  const kind = outcome.kind === "failed" ? outcome.reason : outcome.kind;
  return JSON.stringify([kind, advice, remarksOf(task)]);
}

/** Whether there is something to know about an ended task beside that it succeeded, or was cancelled. */
export function isProblem(task: DoneTask): boolean {
  if (task.outcome.kind === "cancelled") return false;
  return task.outcome.kind !== "succeeded" || isOdd(task);
}

function isOdd(task: DoneTask): boolean {
  return (task.usage?.denials?.length ?? 0) > 0 || remarksOf(task).length > 0;
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

/** How many ranges of numbers are named. */
const mostRanges = 12;

/** "task 3", "tasks 3, 7 to 9, 41". */
export function tasksText(tasks: readonly DoneTask[]): string {
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
