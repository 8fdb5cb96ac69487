// A line for each task as it ends, for a terminal or a pipe.
import { type BatchState, type DoneTask, doneCount, machineOf } from "../../../model/state.ts";
import { durationText } from "../../../report/amounts.ts";
import { causeKeyOf } from "../../../report/causes.ts";
import { oneLine } from "../../../report/harmless.ts";
import { labelOf } from "../../../report/label.ts";
import { indented } from "../../../report/lines.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import { fit } from "../terminal/fit.ts";
import { colourOf } from "../terminal/state-colours.ts";
import { costCell } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";
import { problemOf } from "./problem.ts";

interface LineStyle {
  paint: Printer["paint"];
  /** The width of a terminal; a pipe has none. */
  columns?: () => number;
}

/** How a printer shows the lines: in a live terminal none is wider than it. */
export function lineStyleOf(printer: Printer): LineStyle {
  return {
    paint: (colour, text) => printer.paint(colour, text),
    ...(printer.isLive ? { columns: () => printer.size.columns } : {}),
  };
}

/** Before what is said below the line of a task. */
const below = "    ";

/** The longest and the shortest label of a task, in columns. */
const longestPrompt = 60;
const shortestPrompt = 12;
/** The longest name of another machine, in characters. */
const longestMachine = 24;

/**
 * Call the result with every state; it reports what has ended since. A retried task ends again. Advice about a failure is
 * given once for all tasks that fail alike, and tasks that never started are not listed one by one. `already`: tasks
 * reported before.
 */
export function progressLines(
  say: (line: string) => void,
  style: LineStyle,
  already: Iterable<DoneTask> = [],
): (state: BatchState) => void {
  /** When each reported task had ended. */
  const told = new Map<number, number>();
  for (const { number, endedAt } of already) told.set(number, endedAt);
  const causes = new Set<string>();
  let seen = told.size;
  return (state) => {
    const done = doneCount(state.counts);
    if (done === seen) return;
    seen = done;
    const fresh = state.tasks
      .filter((task) => task.status === "done")
      .filter(({ number, endedAt }) => told.get(number) !== endedAt);
    for (const [index, task] of fresh.entries()) {
      told.set(task.number, task.endedAt);
      if (task.outcome.kind === "cancelled" && task.startedAt === undefined) continue;
      const line = lineOf(state, task, done - fresh.length + index + 1, style);
      const cause = causeKeyOf(state, task);
      const problem = cause === undefined || causes.has(cause) ? undefined : problemOf(state, task);
      say(problem === undefined ? line : `${line}\n${indented(problem, below)}`);
      if (cause !== undefined) causes.add(cause);
    }
  };
}

function lineOf(state: BatchState, task: DoneTask, done: number, { paint, columns }: LineStyle): string {
  const total = state.tasks.length;
  const width = String(total).length;
  const { startedAt, endedAt, usage, number } = task;
  const word = outcomeWords(task);
  const machine = machineOf(task);
  const before = [`${String(done).padStart(width)}/${total}`, `task ${String(number).padEnd(width)}`];
  const after = [
    ...(startedAt === undefined ? [] : [durationText(endedAt - startedAt)]),
    ...(usage ? [costCell(usage.costUsd, usage.atLeast)] : []),
    ...(machine === undefined ? [] : [`on ${oneLine(machine, longestMachine)}`]),
  ];
  // The label is cut, so that each line fits on one row of the terminal. The last column stays free, because clearing the
  // rest of the line may erase it.
  const taken = [...before, word, ...after, ""].join("  ").length;
  const room = columns === undefined ? longestPrompt : Math.max(shortestPrompt, columns() - 1 - taken);
  const label = fit(labelOf(state, number), room);
  return [...before, paint(colourOf(task), word), ...after, label].join("  ");
}
