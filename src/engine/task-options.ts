// Which options a task has, after all who may set them have been heard.
import type { Batch } from "../model/event.ts";
import { type SessionOptions, sessionOptions } from "../model/options.ts";

// Most tasks have no options of their own: theirs are parsed once a batch.
const shared = new WeakMap<Batch, SessionOptions>();

/** Default < configuration < batch < task: raw objects are merged, then parsed once, for parsing fills defaults in. */
export function optionsOf(batch: Batch, taskNumber: number): SessionOptions {
  const own = batch.tasks[taskNumber - 1]?.options;
  if (own) return sessionOptions.parse({ ...batch.sessionOptions, ...own });
  const known = shared.get(batch) ?? sessionOptions.parse(batch.sessionOptions);
  shared.set(batch, known);
  return known;
}

/** The directory a task works in. */
export function workingDirectoryOf(batch: Batch, options: SessionOptions): string {
  return options.workingDirectory ?? batch.workingDirectory;
}
