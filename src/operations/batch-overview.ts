// The state of a batch, task by task, for people. Reads no transcript.
import { reportFileOf } from "../engine/output/answer.ts";
import { usualNameOf } from "../engine/output/result-file.ts";
import type { BatchState } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { namesIn } from "../platform/folders.ts";
import { heldNow, stateWordOf } from "../store/batch-status.ts";
import type { Context } from "./context.ts";
import { farText, interruptedText } from "./far-text.ts";
import { resolveBatch, rowOf } from "./find-batch.ts";

export interface BatchOverview {
  state: BatchState;
  word: StateWord;
  held: WaitReason | undefined;
  /** Explains that its processes are gone, or cannot be inspected from here. */
  processes: string | undefined;
  /** What running tasks are doing, by task number. */
  activities: ReadonlyMap<number, string>;
  reportFile: string;
  /** The names of existing result files, by task number. */
  resultFiles: ReadonlyMap<number, string>;
}

export async function overviewOf(context: Context, given: string): Promise<BatchOverview> {
  const log = await resolveBatch(context, given);
  const { state } = log;
  const row = rowOf(context, log);
  const word = stateWordOf(row);
  return {
    state,
    word,
    held: heldNow(row),
    processes: word === "interrupted" ? interruptedText(row) : farText(row, context.door),
    activities: context.store.activities(log.batchId),
    reportFile: reportFileOf(state),
    resultFiles: resultFilesIn(state),
  };
}

function resultFilesIn(state: BatchState): Map<number, string> {
  const names = namesIn(state.outputDirectory);
  const done = state.tasks.filter((task) => task.status === "done");
  const files = done.map((task): [number, string] => [task.number, usualNameOf(state, task)]);
  return new Map(files.filter(([, name]) => names.has(name)));
}
