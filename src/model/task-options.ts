// Which options a task has, after all who may set them have been heard.
import type { Batch } from "./event.ts";
import { type SessionOptions, sessionOptions } from "./options.ts";
import type { Attempt } from "./state.ts";

// Parsed once: for a batch, and for each task that has options of its own.
const parsed = new WeakMap<object, SessionOptions>();

/** Default < configuration < batch < task: raw objects are merged, then parsed once, for parsing fills defaults in. */
export function optionsOf(batch: Batch, taskNumber: number): SessionOptions {
  const own = batch.tasks[taskNumber - 1]?.options;
  const key = own ?? batch;
  const known = parsed.get(key) ?? sessionOptions.parse({ ...batch.sessionOptions, ...own });
  parsed.set(key, known);
  return known;
}

/** The directory that a task is given. */
export function workingDirectoryOf(batch: Batch, options: SessionOptions): string {
  return options.workingDirectory ?? batch.workingDirectory;
}

/** The directory in which an attempt at a task works, or worked; of an older log, the one that the task is given. */
export function directoryOf(batch: Batch, taskNumber: number, attempt: Attempt | undefined): string {
  return attempt?.workingDirectory ?? workingDirectoryOf(batch, optionsOf(batch, taskNumber));
}
