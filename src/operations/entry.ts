// An ended task as an entry of `results`, with a part of its text.
import type { TextRange } from "../claude/answer-part.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import { type ResultEntry, resultEntryOf } from "../report/answer.ts";
import { boundedEntry } from "../report/bounded-entry.ts";
import type { Door } from "../report/option-words.ts";
import { taskText } from "./task-text.ts";

/** Data of up to this many characters is always included. */
const usualData = 800;

/** An entry with the length of its text. */
export type Entry = ResultEntry & { textLength: number };

interface Wanted {
  range: TextRange;
  description: number;
  /** If there is one. */
  resultFile: string | undefined;
  door: Door;
}

/** With the requested part of the text, and at most this many characters of the task as given. */
export function entryOf(
  state: BatchState,
  task: DoneTask,
  { range, description, resultFile, door }: Wanted,
): Entry {
  const { text, from, length, more } = taskText(task, range);
  const entry = resultEntryOf(state, task, {
    door,
    text,
    cut: more,
    ...(more ? { nextFrom: from + text.length } : {}),
    ...(resultFile === undefined ? {} : { resultFile }),
  });
  // Data belongs to the beginning of the text; later parts have none.
  const data = range.from > 0 ? -1 : Math.max(usualData, range.characters);
  const bounded = boundedEntry(entry, { description, data });
  return { ...bounded, textLength: length };
}
