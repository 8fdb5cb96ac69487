// A line for each task as it ends, for a terminal or a pipe.
import { type BatchState, type DoneTask, doneCount } from "../../../model/state.ts";
import { durationText } from "../../../report/amounts.ts";
import { labelOf } from "../../../report/label.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import { fit } from "../terminal/fit.ts";
import { colourOf } from "../terminal/state-colours.ts";
import { costCell } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { causeOf } from "./failure-groups.ts";
import { problemOf } from "./problem.ts";

interface Face {
  paint: Printer["paint"];
  /** How wide a terminal is; a pipe has no width. */
  columns?: () => number;
}

/** How a printer shows the lines: in a live terminal none is longer than it is wide. */
export function faceOf(printer: Printer): Face {
  return {
    paint: (colour, text) => printer.paint(colour, text),
    ...(printer.isLive ? { columns: () => printer.size.columns } : {}),
  };
}

/** Most of a task that is shown, and least, in columns. */
const longestPrompt = 60;
const shortestPrompt = 12;

/**
 * To be called with every state; says what has ended since. A task that was tried again ends again. What to do about a
 * failure is said once for all tasks that fail alike, and tasks that never started are not named one by one. `already`
 * are those that somebody has been told of.
 */
export function progressLines(
  say: (line: string) => void,
  face: Face,
  already: Iterable<DoneTask> = [],
): (state: BatchState) => void {
  /** When each of those that were told had ended. */
  const told = new Map<number, number>();
  for (const { number, endedAt } of already) told.set(number, endedAt);
  const causes = new Set<string>();
  let seen = told.size;
  return (state) => {
    const done = doneCount(state.counts);
    if (done === seen) return;
    seen = done;
    const fresh = state.tasks.flatMap((task) =>
      task.status === "done" && told.get(task.number) !== task.endedAt ? [task] : [],
    );
    for (const [index, task] of fresh.entries()) {
      told.set(task.number, task.endedAt);
      if (task.outcome.kind === "cancelled" && task.startedAt === undefined) continue;
      const line = lineOf(state, task, done - fresh.length + index + 1, face);
      const problem = problemOf(state, task);
      const cause = causeOf(state, task);
      say(problem === undefined || causes.has(cause) ? line : `${line}\n${indented(problem)}`);
      if (problem !== undefined) causes.add(cause);
    }
  };
}

function lineOf(state: BatchState, task: DoneTask, done: number, { paint, columns }: Face): string {
  const total = state.tasks.length;
  const width = String(total).length;
  const { startedAt, endedAt, usage, number } = task;
  const word = outcomeWords(task);
  const before = [`${String(done).padStart(width)}/${total}`, `task ${String(number).padEnd(width)}`];
  const after = [
    ...(startedAt === undefined ? [] : [durationText(endedAt - startedAt)]),
    ...(usage ? [costCell(usage.costUsd, usage.atLeast)] : []),
  ];
  // The task gives way, so that a line of the terminal is one of ours; its last column stays free, for what is
  // written there may be taken away again by what clears the rest of the line.
  const taken = [...before, word, ...after, ""].join("  ").length;
  const room = columns === undefined ? longestPrompt : Math.max(shortestPrompt, columns() - 1 - taken);
  const label = fit(labelOf(state, number), room);
  return [...before, paint(colourOf(task), word), ...after, label].join("  ");
}

// Which task it is stands in the line above.
function indented(problem: string): string {
  return problem
    .split("\n")
    .map((line) => `    ${line.trim()}`)
    .join("\n");
}
