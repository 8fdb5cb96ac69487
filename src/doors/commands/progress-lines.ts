// A line for each task as it ends, for a terminal or a pipe.
import { type BatchState, type DoneTask, doneCount } from "../../model/state.ts";
import { durationText } from "../../report/amounts.ts";
import { outcomeWord } from "../../report/answer.ts";
import { firstLine } from "../../report/harmless.ts";
import { problemOf } from "./problem.ts";
import { outcomeColours } from "./state-colours.ts";
import { costCell } from "./table.ts";
import type { Printer } from "./terminal.ts";

/** To be called with every state; says what has ended since. A task that was tried again ends again. */
export function progressLines(
  say: (line: string) => void,
  { paint }: { paint: Printer["paint"] },
): (state: BatchState) => void {
  /** When each of those that were told had ended. */
  const told = new Map<number, number>();
  let seen = 0;
  return (state) => {
    const done = doneCount(state.counts);
    if (done === seen) return;
    seen = done;
    const fresh = state.tasks.flatMap((task) =>
      task.status === "done" && told.get(task.number) !== task.endedAt ? [task] : [],
    );
    for (const [index, task] of fresh.entries()) {
      told.set(task.number, task.endedAt);
      say(lineOf(state, task, done - fresh.length + index + 1, paint));
    }
  };
}

function lineOf(state: BatchState, task: DoneTask, done: number, paint: Printer["paint"]): string {
  const total = state.tasks.length;
  const width = String(total).length;
  const { outcome, startedAt, endedAt, usage, number } = task;
  const line = [
    `${String(done).padStart(width)}/${total}`,
    `task ${String(number).padEnd(width)}`,
    paint(outcomeColours[outcome.kind], outcomeWord(task)),
    ...(startedAt === undefined ? [] : [durationText(endedAt - startedAt)]),
    ...(usage ? [costCell(usage.costUsd, usage.atLeast)] : []),
    firstLine(state.batch.tasks[number - 1]?.prompt ?? "", 60),
  ].join("  ");
  const problem = outcome.kind === "cancelled" ? undefined : problemOf(state, task);
  return problem === undefined ? line : `${line}\n${indented(problem)}`;
}

// Which task it is stands in the line above.
function indented(problem: string): string {
  return problem
    .replace(/^Task \d+: /, "")
    .split("\n")
    .map((line) => `    ${line.trim()}`)
    .join("\n");
}
