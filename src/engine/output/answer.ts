// Builds a batch's answer, within the number of characters that a client accepts.

import type { BatchState, DoneTask } from "../../model/state.ts";
import type { StateWord } from "../../model/state-word.ts";
import { listedTasks } from "../../model/summary.ts";
import type { WaitReason } from "../../model/wait-reason.ts";
import { join } from "../../platform/paths.ts";
import {
  type BatchAnswer,
  batchAnswerOf,
  type ResultEntry,
  resultEntryOf,
  statusText,
} from "../../report/answer.ts";
import { causeFieldsOf } from "../../report/cause-fields.ts";
import { harmlessJson } from "../../report/harmless.ts";
import { stepText } from "../../report/next-step.ts";
import { type Door, doorOf } from "../../report/option-words.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import { outputFiles } from "../../store/layout.ts";
import { resultFilesOf } from "./result-file.ts";
import { othersText, type ResultText, resultTextOf } from "./result-text.ts";
import { summaryTextOf } from "./summary-text.ts";

export interface AnswerRequest {
  word: StateWord;
  /** For all results together. */
  mostCharacters: number;
  held?: WaitReason | undefined;
  /** Who reads it. */
  door: Door;
  message?: string | undefined;
}

/**
 * The whole answer, as far as the batch has progressed. Truncated texts say how long they are and where to read the rest.
 */
export async function answerOf(state: BatchState, request: AnswerRequest): Promise<BatchAnswer> {
  const { word, mostCharacters, held, message, door } = request;
  const done = listedTasks(state);
  const limitOf = fairShares(done.map(textLengthOf), mostCharacters);
  const files = await resultFilesOf(state, done);
  const results = done.map((task) =>
    entryWith(state, task, resultTextOf(task, limitOf), { resultFile: files.get(task.number), door }),
  );
  const summary = summaryTextOf(state, mostCharacters)?.text;
  const causes = causeFieldsOf(state, door);
  const facts = { now: Date.now(), reportFile: reportFileOf(state), held, message, summary, causes };
  return batchAnswerOf(state, word, results, facts);
}

/**
 * The same as text for a file, in pieces: only one result is in memory at a time. `fileOf`: a task's file, if it has one.
 */
export function* summaryPieces(
  state: BatchState,
  word: StateWord,
  { mostCharacters, fileOf }: { mostCharacters: number; fileOf(task: number): string | undefined },
): Generator<string> {
  const done = listedTasks(state);
  const limit = fairShares(done.map(textLengthOf), mostCharacters);
  const door = doorOf(state.batch.startedBy);
  const message = statusText(state, word, { door });
  const answer = batchAnswerOf(state, word, [], {
    now: Date.now(),
    reportFile: reportFileOf(state),
    message,
    summary: summaryTextOf(state, mostCharacters)?.text,
    causes: causeFieldsOf(state, door),
  });
  const [before = "", after = ""] = harmlessJson(answer, 2).split('"results": []', 2);
  yield `${before}"results": [`;
  for (const [index, task] of done.entries()) {
    const entry = entryWith(state, task, resultTextOf(task, limit), {
      resultFile: fileOf(task.number),
      door,
    });
    yield `${index === 0 ? "" : ","}\n    ${harmlessJson(entry, 2).replaceAll("\n", "\n    ")}`;
  }
  yield `${done.length === 0 ? "" : "\n  "}]${after}\n`;
}

/** One entry of `results`. */
export function entryWith(
  state: BatchState,
  task: DoneTask,
  { text, cut, others }: ResultText,
  { resultFile, door }: { resultFile: string | undefined; door: Door },
): ResultEntry {
  const whole = cut ? cutNote(state, task, { shown: text.length, file: resultFile, door }) : "";
  const main = task.outcome.kind === "succeeded" ? text : outcomeText(task.outcome);
  return resultEntryOf(state, task, {
    door,
    text: `${main}${whole}${othersText(others)}`,
    cut,
    ...(cut ? { textLength: textLengthOf(task), nextFrom: text.length } : {}),
    ...(resultFile === undefined ? {} : { resultFile }),
  });
}

/** The page of the batch, for people. */
export function reportFileOf(state: BatchState): string {
  return join(state.outputDirectory, outputFiles.report(state.batch.batchId));
}

/** The length of its answer, in characters, without earlier answers. */
function textLengthOf(task: DoneTask): number {
  return task.outcome.kind === "succeeded" ? task.outcome.length : 0;
}

function cutNote(
  { batch: { batchId } }: BatchState,
  task: DoneTask,
  { shown, file, door }: { shown: number; file: string | undefined; door: Door },
): string {
  const places = [file, task.attempts.at(-1)?.transcript].filter((path) => path !== undefined);
  const further = stepText(door, { do: "read-on", batchId, task: task.number, from: shown });
  return `\n\n[These are the first ${shown} of ${textLengthOf(task)} characters. The whole is in ${places.join(" and in ")}; ${further} reads on.]`;
}

/**
 * The highest limit per text under which all together stay within `most`: short texts stay whole, and long ones share
 * what is left.
 */
export function fairShares(lengths: readonly number[], most: number): number {
  let left = most;
  const ascending = [...lengths].sort((a, b) => a - b);
  for (const [index, length] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (length > share) return share;
    left -= length;
  }
  return most;
}
