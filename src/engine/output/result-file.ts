// Which file shows how a task ended. Its name follows from the log, so that nothing has to remember it.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { readHead } from "../../platform/files.ts";
import { join } from "../../platform/paths.ts";
import { readHead as readHeadAside } from "../../platform/whole-files.ts";
import { fileTag } from "../../report/file-tag.ts";
import { outputFiles } from "../../store/layout.ts";

/** Where a task's file is, or would go. */
export interface FilePlace {
  path: string;
  /** Whether it is there. */
  there: boolean;
}

const headBytes = 512;

/** The name that a task's file nearly always has: two that end in the same millisecond are rare. */
export function usualNameOf(state: BatchState, task: DoneTask): string {
  return nameAt(state, task, task.endedAt);
}

/** Where a task's file is, or would go: the first name that is free or already its own. */
export function resultFileOf(state: BatchState, task: DoneTask): FilePlace {
  for (let at = task.endedAt; ; at++) {
    const path = join(state.outputDirectory, nameAt(state, task, at));
    const place = placeFrom(path, readHead(path, headBytes), ownTag(state, task));
    if (place) return place;
  }
}

/** The same for whoever must not wait for a disk. */
export async function findResultFile(state: BatchState, task: DoneTask): Promise<FilePlace> {
  const { outputDirectory } = state;
  for (let at = task.endedAt; ; at++) {
    const path = join(outputDirectory, nameAt(state, task, at));
    const place = placeFrom(path, await readHeadAside(path, headBytes), ownTag(state, task));
    if (place) return place;
  }
}

// Nothing where the name is somebody else's.
function placeFrom(path: string, head: string | undefined, tag: string): FilePlace | undefined {
  if (head === undefined) return { path, there: false };
  return head.includes(tag) ? { path, there: true } : undefined;
}

function ownTag(state: BatchState, task: DoneTask): string {
  return fileTag(state.batch.batchId, task.number);
}

function nameAt(state: BatchState, { outcome, number }: DoneTask, at: number): string {
  const nameOf = outcome.kind === "succeeded" ? outputFiles.result : outputFiles.error;
  return nameOf(number, state.tasks.length, at);
}
