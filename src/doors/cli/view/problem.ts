// What went wrong with a task, and what to do about it, in the words of the command line.
import type { BatchState, DoneTask } from "../../../model/state.ts";
import { adviceFor } from "../../../report/advice.ts";
import { adviceFactsOf } from "../../../report/advice-facts.ts";
import { countText } from "../../../report/amounts.ts";
import { remarksOf } from "../../../report/answer.ts";
import { oneLine } from "../../../report/harmless.ts";
import { numberAndKey } from "../../../report/label.ts";
import { type FailureGroup, failureGroups, happenedText, isProblem, tasksText } from "./failure-groups.ts";

/** How many of a batch's problems to show; the report has them all. */
const mostProblems = 20;

/** Of tasks in a command. */
const mostNumbers = 20;

/** The problems of a batch, one text for all tasks with the same. Without cancelled tasks, which somebody wanted. */
export function problemsOf(state: BatchState): string[] {
  const groups = failureGroups(state);
  const more = groups.slice(mostProblems).reduce((sum, { tasks }) => sum + tasks.length, 0);
  const told = groups.slice(0, mostProblems).map((group) => groupText(state, group));
  return more > 0 ? [...told, `${countText(more, "more task")} with other problems in the report.`] : told;
}

function groupText(state: BatchState, { tasks, happened, isAlike }: FailureGroup): string {
  const [first] = tasks;
  if (tasks.length === 1)
    return `Task ${numberAndKey(state.batch, first.number)}: ${happened}${wordsText(state, first)}`;
  const example = isAlike ? "" : ` (the words of task ${first.number})`;
  return `${countText(tasks.length, "task")}: ${happened}${example}\n  ${sentence(tasksText(tasks, state.batch))}${wordsText(state, first, tasks)}`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** What happened to a task and what to do about it; undefined for a plain success. */
export function problemOf(state: BatchState, task: DoneTask): string | undefined {
  return isProblem(task) ? `${happenedText(task)}${wordsText(state, task)}` : undefined;
}

// Below it, what to do and what was odd. For several tasks, the advice names all.
function wordsText(state: BatchState, task: DoneTask, tasks: readonly DoneTask[] = [task]): string {
  const advice = adviceFor(task.outcome, {
    ...adviceFactsOf(state, task, "command-line"),
    ...(tasks.length > 1 ? { tasks: numbersOf(tasks), sessionId: undefined } : {}),
  });
  const words = [
    ...(advice === undefined ? [] : [advice]),
    ...remarksOf(task, "command-line").map((remark) => oneLine(remark, 500)),
  ];
  return words.map((line) => `\n  ${line}`).join("");
}

// A command with hundreds of task numbers is unreadable; without numbers it applies to all that failed.
function numbersOf(tasks: readonly DoneTask[]): number[] | undefined {
  return tasks.length > mostNumbers ? undefined : tasks.map(({ number }) => number);
}
