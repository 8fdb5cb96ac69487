// What went wrong with a task, and what to do about it, in the words of the command line.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { parallelInput } from "../../operations/spawn-input.ts";
import { adviceFor, outcomeText } from "../../report/advice.ts";
import { countText } from "../../report/amounts.ts";
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

/** Nothing for a success at which no tool was denied. */
export function problemOf(state: BatchState, task: DoneTask): string | undefined {
  const { outcome, number, usage, attempts } = task;
  const advice = adviceFor(outcome, {
    denials: usage?.denials ?? [],
    batchId: state.batch.batchId,
    sessionId: attempts.at(-1)?.sessionId,
  });
  if (advice === undefined) return undefined;
  const said = outcome.kind === "succeeded" ? "Succeeded, with tools denied" : outcomeText(outcome);
  const words = inFlagWords(advice, flagsOf(parallelInput, withoutFlags));
  return `Task ${number}: ${said}${/[.!?]$/.test(said) ? "" : "."}\n  ${words}`;
}
