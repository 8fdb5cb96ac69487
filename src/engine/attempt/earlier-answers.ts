// Answers of earlier tasks as files that a later session reads: written before it starts, from their transcripts.

import { readAnswerPart } from "../../claude/answer-part.ts";
import { withReadableFolder } from "../../claude/readable-folder.ts";
import { readAnswer } from "../../claude/transcript.ts";
import type { SessionOptions } from "../../model/options.ts";
import { resultsNamed } from "../../model/results-named.ts";
import { type BatchState, type TaskState, taskOf } from "../../model/state.ts";
import { hasSucceeded, numberedCount, readBySummary, type SucceededTask } from "../../model/summary.ts";
import { makePrivateDirectory } from "../../platform/files.ts";
import { Fingerprints, nothingThere } from "../../platform/fingerprints.ts";
import { join } from "../../platform/paths.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { type Layout, padded } from "../../store/layout.ts";
import { summaryPrompt } from "./summary-prompt.ts";

/** Longer answers are cut, in characters. */
const longestAnswer = 100_000_000;
/** The length of a longer answer may be that of its JSON, in bytes. */
const longestCounted = 2_000_000;

/** The file of a task's answer: JSON if it is data, otherwise plain text. */
export function answerFile({ batch, tasks }: BatchState, number: number, layout: Layout): string {
  const task = tasks[number - 1];
  return join(layout.answers(batch.batchId), answerFileName(number, numberedCount(batch), task));
}

/** The name of such a file in its folder. `total`: of the tasks that were given. */
export function answerFileName(number: number, total: number, task: TaskState | undefined): string {
  const isData = task !== undefined && hasSucceeded(task) && task.outcome.structured !== undefined;
  return `${padded(number, total)}.${isData ? "json" : "txt"}`;
}

/** What is in such a file. Throws if the transcript has gone. */
export function answerText({ outcome: { structured, offset }, attempts }: SucceededTask): string {
  return structured === undefined
    ? readAnswer(attempts.at(-1)?.transcript ?? "", offset, longestAnswer).text
    : `${JSON.stringify(structured, null, 2)}\n`;
}

/** Whether the answer of a task can still be read: transcripts may have been removed or damaged. */
export function isAnswerThere({ outcome: { structured, offset, length }, attempts }: SucceededTask): boolean {
  if (structured !== undefined) return true;
  const from = length > longestCounted ? 0 : Math.max(0, length - 1);
  try {
    const { text } = readAnswerPart(attempts.at(-1)?.transcript ?? "", offset, { from, characters: 1 });
    return length === 0 || text !== "";
  } catch {
    // Whatever the reason, there is no answer to be read.
    return false;
  }
}

/** A prompt with the paths of the answers that it names, and options that allow to read them. */
export function withAnswers(
  state: BatchState,
  number: number,
  { layout, prompt, options }: { layout: Layout; prompt: string; options: SessionOptions },
): { prompt: string; options: SessionOptions } {
  const { results = {}, summary } = state.batch.tasks[number - 1] ?? {};
  // It works in the folder of the answers, and so may read them.
  if (summary)
    return { prompt: summaryPrompt(state, number, (one) => answerFile(state, one, layout)), options };
  const { batchId, readsEarlierAnswers } = state.batch;
  const own = readsEarlierAnswers ? withReadableFolder(options, layout.earlierAnswers(batchId)) : options;
  if (Object.keys(results).length === 0) return { prompt, options: own };
  return {
    prompt: resultsNamed(prompt, (name) => {
      const task = Object.hasOwn(results, name) ? results[name] : undefined;
      return task === undefined ? undefined : answerFile(state, task, layout);
    }),
    options: withReadableFolder(own, layout.answers(batchId)),
  };
}

// The same in two batches with the same answers.
function summaryByContent(state: BatchState, number: number, layout: Layout): string | undefined {
  const now = new Fingerprints();
  let isWhole = true;
  const prompt = summaryPrompt(state, number, (one) => {
    const found = now.file(answerFile(state, one, layout));
    if (!("unknown" in found) && found.hash !== nothingThere) return found.hash;
    isWhole = false;
    return "";
  });
  return isWhole ? prompt : undefined;
}

/** What the sessions of a batch's summary read: writes it, and says what each is asked by its content. */
export function summariesOf(state: () => BatchState, layout: Layout, write: WriteAnswers) {
  return {
    write: (number: number) => write(state(), number),
    byContent: (number: number) => summaryByContent(state(), number, layout),
  };
}

/** Writes the answers that a task's session reads. Throws if a transcript has gone, or the disk does not take them. */
export type WriteAnswers = (state: BatchState, number: number) => Promise<void>;

/** Writes each answer once a runner, and again after a task has run again. */
export function answerWriter(layout: Layout): WriteAnswers {
  const written = new Map<string, Promise<void>>();
  return async (state, number) => {
    const needed = neededBy(state, number);
    if (needed.size === 0) return;
    makePrivateDirectory(layout.answers(state.batch.batchId));
    for (const one of needed) {
      const key = `${one}/${taskOf(state, one).attempts.length}`;
      const writing = written.get(key) ?? writeAnswer(state, one, layout);
      written.set(key, writing);
      try {
        await writing;
      } catch (error) {
        written.delete(key);
        throw error;
      }
    }
  };
}

function neededBy(state: BatchState, number: number): ReadonlySet<number> {
  const { results = {}, summary } = state.batch.tasks[number - 1] ?? {};
  return new Set(
    summary
      ? readBySummary(state, number).filter((one) => hasSucceeded(taskOf(state, one)))
      : Object.values(results),
  );
}

async function writeAnswer(state: BatchState, number: number, layout: Layout): Promise<void> {
  const task = taskOf(state, number);
  if (!hasSucceeded(task)) throw new Error(`Internal error: task ${number} has no answer to be read`);
  await replaceFile(answerFile(state, number, layout), answerText(task), { mode: 0o600 });
}
