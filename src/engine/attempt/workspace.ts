// Where a task works. Today each task uses the directory that it was given, together with others; another workspace can give
// each task its own.
import type { Batch } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import { workingDirectoryOf } from "../../model/task-options.ts";

/** The task whose next attempt needs a directory. */
export interface NeedsDirectory {
  /** 1-based. */
  number: number;
  options: SessionOptions;
  /** Where the attempt before worked, if the next one continues its conversation: Claude Code finds it there alone. */
  continuesIn?: string | undefined;
}

/** A directory that an attempt may work in until it is disposed of. */
export interface Prepared extends AsyncDisposable {
  /** Absolute. The log keeps it with the attempt. */
  directory: string;
}

export interface Workspace {
  /**
   * Makes a directory ready. Called before each attempt; disposed of when the attempt has ended, or was not started. If this
   * throws, the task ends as not started, with the words of the error.
   */
  prepare(batch: Batch, task: NeedsDirectory): Promise<Prepared>;
  /** Takes over the directory in which an attempt works that an earlier runner started; disposed of when that has ended. */
  adopt(batch: Batch, task: number, directory: string): Prepared;
}

/** The directory that the task names, as it is: others may work in it at the same time. */
export const sharedDirectory: Workspace = {
  prepare: async (batch, { options, continuesIn }) =>
    shared(continuesIn ?? workingDirectoryOf(batch, options)),
  adopt: (_batch, _task, directory) => shared(directory),
};

function shared(directory: string): Prepared {
  return { directory, [Symbol.asyncDispose]: async () => undefined };
}
