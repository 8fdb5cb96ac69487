// What went wrong with a task, and what to do about it, in the words of the command line.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { parallelInput } from "../../operations/spawn-input.ts";
import { adviceFor } from "../../report/advice.ts";
import { adviceFactsOf } from "../../report/advice-facts.ts";
import { countText } from "../../report/amounts.ts";
import { remarksOf } from "../../report/answer.ts";
import { oneLine } from "../../report/harmless.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import { flagsOf } from "../flags.ts";
import { inFlagWords } from "./flag-words.ts";

/** What `run` reads otherwise than by a flag of that name. */
export const withoutFlags = ["tasks", "asyncMode"];

/** Of a batch's problems, so many are told; the report has them all. */
const mostProblems = 20;

/** The problems of a batch, one text each. Cancelled tasks are none: somebody wanted that. */
export function problemsOf(state: BatchState): string[] {
  const problems = state.tasks.flatMap((task) =>
    task.status === "done" && task.outcome.kind !== "cancelled" ? (problemOf(state, task) ?? []) : [],
  );
  const more = problems.length - mostProblems;
  return more > 0
    ? [...problems.slice(0, mostProblems), `${countText(more, "more problem")} in the report.`]
    : problems;
}

/** Nothing for a success at which no tool was denied and nothing was odd. */
export function problemOf(state: BatchState, task: DoneTask): string | undefined {
  const { outcome, number } = task;
  const advice = adviceFor(outcome, adviceFactsOf(state, task, "command-line"));
  const remarks = remarksOf(task);
  if (advice === undefined && remarks.length === 0) return undefined;
  const oddly = advice === undefined ? "with a remark" : "with tools denied";
  const said = outcome.kind === "succeeded" ? `Succeeded, ${oddly}` : outcomeText(outcome);
  const flags = flagsOf(parallelInput, withoutFlags);
  const words = [
    ...(advice === undefined ? [] : [advice]),
    ...remarks.map((remark) => inFlagWords(oneLine(remark, 500), flags)),
  ];
  const lines = words.map((line) => `\n  ${line}`);
  return `Task ${number}: ${said}${/[.!?]$/.test(said) ? "" : "."}${lines.join("")}`;
}
