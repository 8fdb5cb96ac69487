// Where a task works. Today, tasks use the directory that they were given, and may share it; another workspace can give
// each task its own.
import type { Batch } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import { workingDirectoryOf } from "../../model/task-options.ts";

/** The task whose next attempt needs a directory. */
export interface NeedsDirectory {
  /** 1-based. */
  number: number;
  options: SessionOptions;
  /** Where the previous attempt worked, if the next one continues its conversation: Claude Code finds it only there. */
  continuesIn?: string | undefined;
}

/** A directory that an attempt may use until it is disposed of. */
export interface Prepared extends AsyncDisposable {
  /** Absolute. The log stores it with the attempt. */
  directory: string;
}

export interface Workspace {
  /**
   * Prepares a directory. Called before each attempt; disposed of when the attempt has ended or was not started. If this
   * throws, the task ends as not started, with the error's message.
   */
  prepare(batch: Batch, task: NeedsDirectory): Promise<Prepared>;
  /** Takes over the directory of an attempt that an earlier runner started; disposed of when that has ended. */
  adopt(batch: Batch, task: number, directory: string): Prepared;
}

/** The task's own directory, unchanged: others may work in it at the same time. */
export const sharedDirectory: Workspace = {
  prepare: async (batch, { options, continuesIn }) =>
    shared(continuesIn ?? workingDirectoryOf(batch, options)),
  adopt: (_batch, _task, directory) => shared(directory),
};

function shared(directory: string): Prepared {
  return { directory, [Symbol.asyncDispose]: async () => undefined };
}
