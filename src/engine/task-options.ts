// Which options a task has, after all who may set them have been heard.
import type { Batch } from "../model/event.ts";
import { type SessionOptions, sessionOptions } from "../model/options.ts";

/** Default < configuration < batch < task: raw objects are merged, then parsed once, for parsing fills defaults in. */
export function optionsOf(batch: Batch, taskNumber: number): SessionOptions {
  return sessionOptions.parse({ ...batch.sessionOptions, ...batch.tasks[taskNumber - 1]?.options });
}

/** The directory a task works in. */
export function workingDirectoryOf(batch: Batch, options: SessionOptions): string {
  return options.workingDirectory ?? batch.workingDirectory;
}
