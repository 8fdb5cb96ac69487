// Where a task works. Today, tasks use the directory that they were given, and may share it; another workspace can give
// each task its own.
import type { Batch } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import { workingDirectoryOf } from "../../model/task-options.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { Away } from "./session-host.ts";

/** The task whose next attempt needs a directory. */
export interface NeedsDirectory {
  /** 1-based. */
  number: number;
  options: SessionOptions;
  /** Where the previous attempt worked, if the next one continues its conversation: Claude Code finds it only there. */
  continuesIn?: string | undefined;
}

/** For which machine a directory is, and for how long. */
export interface Place {
  /** The machine that it is for; undefined for this one. */
  machine?: string | undefined;
  /** Whether anybody still wants it. What takes long ends early then, by `NotNow`. */
  isWanted(): boolean;
}

/** A directory that an attempt may use until it is disposed of. */
export interface Prepared extends AsyncDisposable {
  /** Absolute, and within the operator's allowed roots, if there are any. The log stores it with the attempt. */
  directory: string;
  /**
   * Brings home what the session has changed there, and says where it is, as a remark for the attempt. Called at its end.
   * `isCancelled`: whether its task was cancelled, and nobody waits for long any more.
   */
  collect?(isCancelled: () => boolean): Promise<string | undefined>;
}

/** A directory that cannot be prepared now, for a reason that may pass. `away`: it is about one machine alone. */
export class NotNow extends Error {
  readonly away: Away | undefined;

  constructor(because: string, away?: Away) {
    super(because);
    this.away = away;
  }
}

export interface Workspace {
  /** The directory that the next attempt will get, if that is known before it is prepared and need not be prepared. */
  known?(batch: Batch, task: NeedsDirectory): string | undefined;
  /**
   * Prepares a directory. Called before each attempt; disposed of when its session has gone, or was not started. If this
   * throws, the task ends as not started, with the error's message; after `NotNow`, it stays queued. If disposing of it throws, the attempt gets a remark.
   */
  prepare(batch: Batch, task: NeedsDirectory, place: Place): Promise<Prepared>;
  /**
   * Takes over the directory of an attempt that an earlier runner started; disposed of when its session has gone. That
   * runner may have disposed of it already, for it does so before the end of the attempt is in the log.
   */
  adopt(batch: Batch, task: number, directory: string): Prepared;
}

/** The task's own directory, unchanged: others may work in it at the same time. */
export const sharedDirectory: Workspace = {
  known: ownDirectory,
  prepare: async (batch, task) => shared(ownDirectory(batch, task)),
  adopt: (_batch, _task, directory) => shared(directory),
};

function ownDirectory(batch: Batch, { options, continuesIn }: NeedsDirectory): string {
  return continuesIn ?? workingDirectoryOf(batch, options);
}

function shared(directory: string): Prepared {
  return { directory, [Symbol.asyncDispose]: async () => undefined };
}

/** A prepared directory, which is given back once. An error in that concerns its own task alone, so it is never thrown. */
export class BorrowedDirectory implements AsyncDisposable {
  readonly #task: number;
  readonly #prepared: Prepared;
  #isGivenBack = false;

  /** `task`: its number. */
  constructor(task: number, prepared: Prepared) {
    this.#task = task;
    this.#prepared = prepared;
  }

  get path(): string {
    return this.#prepared.directory;
  }

  /** Gives it back, unless that was done. Returns what went wrong, as a remark for the attempt. */
  async giveBack(isCancelled: () => boolean = () => false): Promise<string | undefined> {
    if (this.#isGivenBack) return undefined;
    this.#isGivenBack = true;
    try {
      const said = await this.#prepared.collect?.(isCancelled);
      await this.#prepared[Symbol.asyncDispose]();
      return said;
    } catch (error) {
      return `The working directory ${this.path} could not be cleaned up: ${messageOf(error)}`;
    }
  }

  /** Gives it back after a start that failed: there is no attempt to remark on, so what went wrong is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing has worked in it.
    const remark = await this.giveBack(() => true);
    if (remark !== undefined) console.error(`${new Date().toISOString()} Task ${this.#task}: ${remark}`);
  }
}
