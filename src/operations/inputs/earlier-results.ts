// The results of an earlier batch as items of a new one. Each answer becomes a file that the sessions may read.

import { answerFileName, answerText, isAnswerThere } from "../../engine/attempt/earlier-answers.ts";
import type { BatchId } from "../../model/batch-id.ts";
import {
  givenCount,
  hasSucceeded,
  lengthOf,
  numberedCount,
  type SucceededTask,
} from "../../model/summary.ts";
import { makePrivateDirectory } from "../../platform/files.ts";
import { dirname, join } from "../../platform/paths.ts";
import { messageOf } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { countText } from "../../report/amounts.ts";
import { taskListText } from "../../report/option-words.ts";
import type { Layout } from "../../store/layout.ts";
import type { Context } from "../context.ts";
import { findBatch } from "../find-batch.ts";
import { UserError } from "../user-error.ts";
import type { Item } from "./item.ts";

/** An answer that is written when the new batch begins. */
export interface AnswerFile {
  path: string;
  task: SucceededTask;
}

/** Writes them, one after another, because together they may be large. Throws `UserError` if one has gone meanwhile. */
export async function writeAnswers(files: readonly AnswerFile[]): Promise<void> {
  for (const { path, task } of files) {
    makePrivateDirectory(dirname(path));
    await replaceFile(path, readable(task), { mode: 0o600 });
  }
}

function readable(task: SucceededTask): string {
  try {
    return answerText(task);
  } catch (error) {
    throw new UserError(
      `Nothing was started: the answer of task ${task.number} of the earlier batch cannot be read any more: ${messageOf(error)}`,
    );
  }
}

interface EarlierResults {
  items: Item[];
  answers: AnswerFile[];
  warnings: string[];
  /** The earlier batch. */
  batchId: BatchId;
  /** Whether it still runs. */
  isRunning: boolean;
  /** Whether tasks succeeded, but none of their answers can be read. */
  isGone: boolean;
}

/** The tasks of a batch that succeeded, by key; not the sessions that summarized them. Throws `UserError` if there is no such batch. */
export function earlierResults(
  context: Context,
  given: string,
  { layout, batchId }: { layout: Layout; batchId: BatchId },
): EarlierResults {
  const log = findBatch(context, given);
  const { batch, tasks, endedAt } = log.state;
  const count = givenCount(batch);
  const ordinary = tasks.slice(0, count);
  const succeeded = ordinary.filter(hasSucceeded);
  const there = succeeded.filter(isAnswerThere);
  const files = there.map((task): AnswerFile => {
    const name = answerFileName(task.number, numberedCount(batch), task);
    return { path: join(layout.earlierAnswers(batchId), name), task };
  });
  const items = files.map(({ path, task }): Item => {
    const { key = `task-${task.number}`, values } = batch.tasks[task.number - 1] ?? {};
    const { index: _, ...known } = values ?? {};
    return {
      key,
      values: { ...known, key, result: path },
      place: `task ${task.number} of batch ${log.batchId}`,
      size: () => lengthOf(task),
    };
  });
  const gone = succeeded.filter((task) => !there.includes(task)).map(({ number }) => number);
  return {
    items,
    answers: files,
    batchId: log.batchId,
    isRunning: endedAt === undefined,
    isGone: succeeded.length > 0 && items.length === 0,
    warnings: items.length === 0 ? [] : leftOutTexts(log.batchId, ordinary.length - succeeded.length, gone),
  };
}

function leftOutTexts(batchId: BatchId, failed: number, gone: readonly number[]): string[] {
  const are = (count: number) => `${count === 1 ? "is" : "are"} left out.`;
  return [
    ...(failed === 0
      ? []
      : [`${countText(failed, "task")} of batch ${batchId} did not succeed, and ${are(failed)}`]),
    ...(gone.length === 0
      ? []
      : [
          `The ${gone.length === 1 ? "answer" : "answers"} of ${taskListText(gone)} of batch ${batchId} can no longer be read, and ${are(gone.length)}`,
        ]),
  ];
}
