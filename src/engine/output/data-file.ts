// The answers of a batch as a table for spreadsheets, where they are data.
import type { BatchState } from "../../model/state.ts";
import { givenTasks } from "../../model/summary.ts";
import { answerTable, dataOf } from "../../report/answer-table.ts";
import { csvLines } from "../../report/csv.ts";
import { doorOf } from "../../report/option-words.ts";
import { entryWith } from "./answer.ts";
import { longestText, resultTextOf } from "./result-text.ts";

/** The lines of the table, one at a time; undefined if no answer is data. `fileOf`: a task's file, if it has one. */
export function dataLines(
  state: BatchState,
  fileOf: (task: number) => string | undefined,
): Generator<string> | undefined {
  const tasks = givenTasks(state).filter((task) => task.status === "done");
  if (!tasks.some((task) => dataOf(task) !== undefined)) return undefined;
  const door = doorOf(state.batch.startedBy);
  const table = answerTable(state, {
    tasks,
    entryOf: (task) =>
      entryWith(state, task, resultTextOf(task, longestText), { resultFile: fileOf(task.number), door }),
  });
  return csvLines(table);
}
