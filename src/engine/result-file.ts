// Which file shows how a task ended. Its name follows from the log, so that nothing has to remember it.
import type { BatchState, DoneTask } from "../model/state.ts";
import { readHead } from "../platform/files.ts";
import { join } from "../platform/paths.ts";
import { fileTag } from "../report/file-tag.ts";
import { outputFiles } from "../store/layout.ts";

/** The name that a task's file nearly always has: two that end in the same millisecond are rare. */
export function usualNameOf(state: BatchState, task: DoneTask): string {
  return nameAt(state, task, task.endedAt);
}

/** Where a task's file is, or would go: the first name that is free or already its own. */
export function resultFileOf(state: BatchState, task: DoneTask): { path: string; there: boolean } {
  const tag = fileTag(state.batch.batchId, task.number);
  for (let at = task.endedAt; ; at++) {
    const path = join(state.outputDirectory, nameAt(state, task, at));
    const head = readHead(path, 512);
    if (head === undefined) return { path, there: false };
    if (head.includes(tag)) return { path, there: true };
  }
}

function nameAt(state: BatchState, { outcome, number }: DoneTask, at: number): string {
  const nameOf = outcome.kind === "succeeded" ? outputFiles.result : outputFiles.error;
  return nameOf(number, state.tasks.length, at);
}
