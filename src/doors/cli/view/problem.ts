// What went wrong in a batch, cause by cause, and what to do about it, in the words of the command line.

import { product } from "../../../model/product.ts";
import type { BatchState, DoneTask } from "../../../model/state.ts";
import { adviceFor } from "../../../report/advice.ts";
import { adviceFactsOf } from "../../../report/advice-facts.ts";
import { countText } from "../../../report/amounts.ts";
import { causeAdvice, causeRemarks, happenedText, isAlike, tasksText } from "../../../report/cause-text.ts";
import { type Cause, causesOf, isProblem } from "../../../report/causes.ts";
import { oneLine } from "../../../report/harmless.ts";
import { numberAndKey } from "../../../report/label.ts";
import { remarksOf } from "../../../report/remarks.ts";

/** How many of a batch's causes to show. */
const mostCauses = 20;

/** The problems of a batch, one text for all tasks with the same cause. Without cancelled tasks, which somebody wanted. */
export function problemsOf(state: BatchState): string[] {
  const causes = causesOf(state);
  const more = causes.slice(mostCauses).reduce((sum, { tasks }) => sum + tasks.length, 0);
  const told = causes.slice(0, mostCauses).map((cause) => causeText(state, cause));
  const { batchId } = state.batch;
  return more > 0
    ? [
        ...told,
        `${countText(more, "more task")} with other problems: \`${product.name} show ${batchId} --failed\` lists what failed.`,
      ]
    : told;
}

function causeText(state: BatchState, cause: Cause): string {
  const { tasks } = cause;
  const [first] = tasks;
  const happened = happenedText(first);
  const words = wordsText(causeAdvice(state, cause, "command-line"), causeRemarks(cause, "command-line"));
  if (tasks.length === 1) return `Task ${numberAndKey(state.batch, first.number)}: ${happened}${words}`;
  const example = isAlike(cause) ? "" : ` (the words of task ${first.number})`;
  return `${countText(tasks.length, "task")}: ${happened}${example}\n  ${sentence(tasksText(tasks, state.batch))}${words}`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** What happened to a task and what to do about it; undefined for a plain success. */
export function problemOf(state: BatchState, task: DoneTask): string | undefined {
  if (!isProblem(task)) return undefined;
  const advice = adviceFor(task.outcome, adviceFactsOf(state, task, "command-line"));
  return `${happenedText(task)}${wordsText(advice, remarksOf(task, "command-line"))}`;
}

// Below it, what to do and what was odd.
function wordsText(advice: string | undefined, remarks: readonly string[]): string {
  const words = [...(advice === undefined ? [] : [advice]), ...remarks.map((remark) => oneLine(remark, 500))];
  return words.map((line) => `\n  ${line}`).join("");
}
