// The results of an earlier batch as items of a new one. Each answer becomes a file that the sessions may read.
import type { BatchId } from "../../model/batch-id.ts";
import type { DoneTask } from "../../model/state.ts";
import { makePrivateDirectory } from "../../platform/files.ts";
import { dirname, join } from "../../platform/paths.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { countText } from "../../report/amounts.ts";
import { type Layout, padded } from "../../store/layout.ts";
import type { Context } from "../context.ts";
import { findBatch } from "../find-batch.ts";
import { expectedLength, taskText } from "../task-text.ts";
import type { Item } from "./item.ts";

/** An answer that is written when the new batch begins. */
export interface AnswerFile {
  path: string;
  task: DoneTask;
}

/** Longer answers are cut, in characters. */
const longestAnswer = 50_000_000;

/** Writes them, one after another, because together they may be large. */
export async function writeAnswers(files: readonly AnswerFile[]): Promise<void> {
  for (const { path, task } of files) {
    makePrivateDirectory(dirname(path));
    const { text } = taskText(task, { from: 0, characters: longestAnswer });
    await replaceFile(path, text, { mode: 0o600 });
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
}

/** The tasks of a batch that succeeded, by key. Throws `UserError` if there is no such batch. */
export function earlierResults(
  context: Context,
  given: string,
  { layout, batchId }: { layout: Layout; batchId: BatchId },
): EarlierResults {
  const log = findBatch(context, given);
  const { batch, tasks, endedAt } = log.state;
  const answers: AnswerFile[] = [];
  const items: Item[] = [];
  for (const task of tasks) {
    if (task.status !== "done" || task.outcome.kind !== "succeeded") continue;
    const { key = `task-${task.number}`, values } = batch.tasks[task.number - 1] ?? {};
    const path = join(layout.earlierAnswers(batchId), `${padded(task.number, tasks.length)}.txt`);
    const { index: _, ...known } = values ?? {};
    answers.push({ path, task });
    items.push({
      key,
      values: { ...known, key, result: path },
      place: `task ${task.number} of batch ${log.batchId}`,
      size: () => expectedLength(task),
    });
  }
  const left = tasks.length - items.length;
  return {
    items,
    answers,
    batchId: log.batchId,
    isRunning: endedAt === undefined,
    warnings:
      left === 0 || items.length === 0
        ? []
        : [
            `${countText(left, "task")} of batch ${log.batchId} did not succeed, and ${left === 1 ? "is" : "are"} left out.`,
          ],
  };
}
