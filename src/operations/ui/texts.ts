// What the page of a batch searches and offers besides its table, made when somebody asks for it.
import { entryWith } from "../../engine/output/answer.ts";
import { dataLines } from "../../engine/output/data-file.ts";
import { resultTextOf } from "../../engine/output/result-text.ts";
import { doorOf } from "../../report/option-words.ts";
import { searchedCharacters, textCall } from "../../report/search-texts.ts";
import type { BatchLog } from "../../store/batch-log.ts";

/** How many tasks are read before others get their turn. */
const tasksAtOnce = 20;

/** The prompts and answers of all tasks, as a script that an open page loads. */
export async function* searchedTexts({ state }: BatchLog): AsyncGenerator<string> {
  const most = searchedCharacters(state.tasks.length);
  const forPrompt = Math.floor(most / 2);
  for (const [index, task] of [...state.tasks].entries()) {
    const { prompt = "" } = state.batch.tasks[index] ?? {};
    const calls = [textCall(task.number, "prompt", { text: prompt, limit: forPrompt })];
    if (task.status === "done") {
      const limit = most - Math.min(prompt.length, forPrompt);
      const how = { resultFile: undefined, door: doorOf(state.batch.startedBy) };
      const { result, error } = entryWith(state, task, resultTextOf(task, limit), how);
      calls.push(textCall(task.number, "answer", { text: result ?? error ?? "", limit }));
    }
    yield calls.join("");
    if (index % tasksAtOnce === 0) await new Promise(setImmediate);
  }
}

/** The answers as a table; undefined if none is data. */
export function answersTable({ state }: BatchLog): Iterable<string> | undefined {
  return dataLines(state, () => undefined);
}
