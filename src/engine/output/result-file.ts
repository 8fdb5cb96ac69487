// Which file shows how a task ended. Its name derives from the log, so it need not be stored.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { numberedCount } from "../../model/summary.ts";
import { join } from "../../platform/paths.ts";
import { readHead } from "../../platform/whole-files.ts";
import { fileTag } from "../../report/file-tag.ts";
import { outputFiles } from "../../store/layout.ts";

/** Where a task's file is, or would go. */
export interface FilePlace {
  path: string;
  /** Whether it is there. */
  there: boolean;
}

const headBytes = 512;

/** The usual name of a task's file: two that end in the same millisecond are rare. */
export function usualNameOf(state: BatchState, task: DoneTask): string {
  return nameAt(state, task, task.endedAt);
}

/** How long to wait for a disk to show one file, in milliseconds: an answer without its path is better than none. */
const patienceMs = 3_000;
/** Directories whose disk did not answer in time. Until it does, nobody else waits for them. */
const stalled = new Set<string>();

/** The existing files of these tasks, by task number. Does not block; if the disk stalls, the rest count as missing. */
export async function resultFilesOf(
  state: BatchState,
  tasks: readonly DoneTask[],
): Promise<ReadonlyMap<number, string>> {
  const { outputDirectory } = state;
  const files = new Map<number, string>();
  for (const task of tasks) {
    if (stalled.has(outputDirectory)) break;
    const place = await inTime(outputDirectory, findResultFile(state, task));
    if (place?.there) files.set(task.number, place.path);
  }
  return files;
}

async function inTime(directory: string, looking: Promise<FilePlace>): Promise<FilePlace | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    stalled.add(directory);
    resolve(undefined);
  }, patienceMs);
  const found = looking.finally(() => {
    clearTimeout(timer);
    stalled.delete(directory);
  });
  // An unreadable directory shows no files; the answer is given without their paths.
  return Promise.race([found.catch(() => undefined), promise]);
}

/**
 * Where a task's file is, or would go: the first name that is free or already its own. `directory`: the one that files are
 * written to, which the batch may have left since.
 */
export async function findResultFile(
  state: BatchState,
  task: DoneTask,
  directory: string = state.outputDirectory,
): Promise<FilePlace> {
  for (let at = task.endedAt; ; at++) {
    const path = join(directory, nameAt(state, task, at));
    const place = placeFrom(path, await readHead(path, headBytes), ownTag(state, task));
    if (place) return place;
  }
}

// Undefined if the name is taken by a foreign file.
function placeFrom(path: string, head: string | undefined, tag: string): FilePlace | undefined {
  if (head === undefined) return { path, there: false };
  return head.includes(tag) ? { path, there: true } : undefined;
}

function ownTag(state: BatchState, task: DoneTask): string {
  return fileTag(state.batch.batchId, task.number);
}

function nameAt(state: BatchState, { outcome, number }: DoneTask, at: number): string {
  const nameOf = outcome.kind === "succeeded" ? outputFiles.result : outputFiles.error;
  return nameOf(number, numberedCount(state.batch), at);
}
