// The causes of failures, in as many lines as there is room for on a screen: of each, how many tasks, an example, what to
// do, and the command that does it for all of them.
import type { BatchState } from "../../../model/state.ts";
import type { Remedy } from "../../../report/advice.ts";
import { countText, numberText } from "../../../report/amounts.ts";
import { causeRemedy, happenedText, lackText } from "../../../report/cause-text.ts";
import { type Cause, causesOf } from "../../../report/causes.ts";
import { oneLine } from "../../../report/harmless.ts";
import { fit } from "../terminal/fit.ts";

/** What there is room for. In a pipe, lines may be long. */
export interface Room {
  rows: number;
  columns: number;
}

/** The longest key beside the number of a task, in characters. */
const longestKey = 30;
/** The fewest causes that are named, however little room there is. */
const fewestCauses = 3;
/** A longer command is on a screen of its own, with `show`. In characters. */
const longestCommand = 300;

/** The lines for the causes of a batch. As many causes as fit, the last ones without what to do. Empty if there are none. */
export function causeLines(state: BatchState, room: Room): string[] {
  const causes = causesOf(state);
  // What cannot be named at all needs a line that says so.
  const most = Math.max(fewestCauses, causes.length > room.rows ? room.rows - 1 : room.rows);
  const blocks = causes.slice(0, most).map((cause) => blockOf(state, cause, room.columns));
  const left = causes.slice(most);
  let taken = blocks.reduce((sum, lines) => sum + rowsOf(lines, room.columns), left.length > 0 ? 1 : 0);
  for (let index = blocks.length - 1; index >= 0 && taken > room.rows; index--) {
    const block = blocks[index] ?? [];
    const [head = ""] = block;
    taken += rowsOf([head], room.columns) - rowsOf(block, room.columns);
    blocks[index] = [head];
  }
  const lines = blocks.flat();
  if (left.length === 0) return lines;
  const tasks = left.reduce((sum, cause) => sum + cause.tasks.length, 0);
  return [...lines, `  … and ${countText(left.length, "other cause")} (${countText(tasks, "task")})`];
}

function blockOf(state: BatchState, cause: Cause, columns: number): string[] {
  const remedy = causeRemedy(state, cause, "command-line");
  return [headOf(state, cause, columns), ...adviceLines(remedy, columns), ...commandLines(remedy)];
}

// "  120 × Reached its turn limit. Claude said: … (such as task 17, src/cart.ts)".
function headOf({ batch }: BatchState, { tasks }: Cause, columns: number): string {
  const [first] = tasks;
  const key = batch.tasks[first.number - 1]?.key;
  const named = `task ${first.number}${key === undefined ? "" : `, ${oneLine(key, longestKey)}`}`;
  const behind = ` (${tasks.length > 1 ? "such as " : ""}${named})`;
  const before = `  ${numberText(tasks.length)} × `;
  const space = columns - 1 - before.length - Bun.stringWidth(behind);
  return `${before}${fit(oneLine(happenedText(first), 400), Math.max(20, space))}${behind}`;
}

const indent = "      ";

// As many whole sentences as fit in a line.
function adviceLines({ text = "" }: Remedy, columns: number): string[] {
  const sentences = text.split(/(?<=[.!?]) (?=[A-Z`])/);
  const space = columns - 1 - indent.length;
  let line = fit(sentences[0] ?? "", space);
  for (const sentence of sentences.slice(1)) {
    if (Bun.stringWidth(line) + 1 + Bun.stringWidth(sentence) > space) break;
    line = `${line} ${sentence}`;
  }
  return line === "" ? [] : [`${indent}${line}`];
}

// In backticks, so that no line break of ours makes half a command of it.
function commandLines({ retry, lacks }: Remedy): string[] {
  if (retry === undefined || retry.length > longestCommand) return [];
  return [`${indent}\`${retry}\`${lackText(lacks)}`];
}

/** How many rows of a terminal some lines take. */
export function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(Bun.stringWidth(line) / columns)), 0);
}
