// The results of a batch as one Markdown document, to read or to pass on.
import type { BatchState, DoneTask } from "../model/state.ts";
import { givenCount } from "../model/summary.ts";
import { costText, countText } from "./amounts.ts";
import { countsText, type ResultEntry } from "./answer.ts";
import { dataOf } from "./answer-table.ts";
import { harmless, oneLine } from "./harmless.ts";
import { labelOf } from "./label.ts";
import { outcomeWords } from "./outcome-words.ts";

/** In pieces: only one answer is in memory at a time. Answers are Markdown already, so they stay as they are. */
export function* markdownPieces(
  state: BatchState,
  tasks: readonly DoneTask[],
  entryOf: (task: DoneTask) => ResultEntry,
): Generator<string> {
  const { batch } = state;
  const name = batch.name === undefined ? "" : `: ${oneLine(batch.name, 200)}`;
  yield `# Batch ${batch.batchId}${name}\n\n${countsText(state)} Cost: ${costText(state.totalCostUsd, state.costAtLeast)}.\n`;
  if (tasks.length < givenCount(batch)) yield `\nThis document has ${countText(tasks.length, "task")}.\n`;
  for (const task of tasks) {
    const entry = entryOf(task);
    const title = entry.key === undefined ? `Task ${task.number}` : oneLine(entry.key, 200);
    yield `\n---\n\n## ${title}\n\n*${outcomeWords(task)}* · ${oneLine(labelOf(state, task.number), 300)}\n\n${bodyOf(task, entry)}\n`;
  }
}

function bodyOf(task: DoneTask, { result = "", error = "" }: ResultEntry): string {
  const data = dataOf(task);
  if (data !== undefined) return fenced(JSON.stringify(data, undefined, 2), "json");
  return task.outcome.kind === "succeeded" ? harmless(result).trim() : fenced(harmless(error).trim(), "");
}

// Longer than any fence in the text.
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
