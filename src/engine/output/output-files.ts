// When the files of a batch are written. Each call adds a job to a queue, and resolves when that is done: files are
// written in that order, from the state at the time of writing. What is written, `batch-files.ts` knows.
import type { EventBody } from "../../model/event.ts";
import { taskOf } from "../../model/state.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import type { Store } from "../../store/store.ts";
import { BatchFiles } from "./batch-files.ts";
import { type Job, JobQueue } from "./job-queue.ts";
import type { TextsAtHand } from "./task-file.ts";

/**
 * How many characters of answers that wait to be written are kept in memory; others are read from their transcripts.
 */
const mostKept = 20_000_000;

export class OutputFiles {
  readonly #log: BatchLog;
  readonly #files: BatchFiles;
  readonly #jobs: JobQueue;
  /** The directory of the last call of `open`, whose job may still wait. */
  #openedIn = "";
  #isBeating = false;
  /** The sequence of the last event in the last files. */
  #endedWith: number | undefined;
  /** Characters of answers that wait to be written. */
  #kept = 0;
  readonly #isUnseen: boolean;

  /**
   * `report` gets events about files that cannot be written; `failed` is called with errors that no disk causes. With
   * `isUnseen`, nothing is written.
   */
  constructor(
    store: Store,
    log: BatchLog,
    activities: ReadonlyMap<number, string>,
    {
      report,
      failed,
      isUnseen = false,
    }: { report(body: EventBody): void; failed(error: unknown): void; isUnseen?: boolean },
  ) {
    this.#isUnseen = isUnseen;
    this.#log = log;
    this.#files = new BatchFiles(store, log, { activities, report });
    this.#jobs = new JobQueue(failed);
  }

  /** Creates the directory, and writes what an earlier runner did not. */
  open(): Promise<void> {
    this.#openedIn = this.#log.state.outputDirectory;
    return this.#add(async () => undefined);
  }

  /** The batch has changed. */
  async changed(): Promise<void> {
    this.#files.changed();
    // Handed over meanwhile: everything is written again where the user looks for it.
    if (this.#openedIn !== "" && this.#openedIn !== this.#log.state.outputDirectory) await this.open();
  }

  /** These tasks are queued again: drops their lines, which are outdated. Their files go when new ones come. */
  forget(numbers: readonly number[]): Promise<void> {
    this.#files.isEnding = false;
    return this.#add(() => this.#files.forget(numbers));
  }

  /** Updates the page, and retries what could not be written. */
  async beat(): Promise<void> {
    if (this.#isUnseen || this.#isBeating || !this.#files.isBeatDue()) return;
    this.#isBeating = true;
    await this.#add(() => this.#files.beat());
    this.#isBeating = false;
  }

  /** Writes the files of an ended task. `texts`: those still in memory; the rest is in the transcript. */
  async writeTask(number: number, texts: TextsAtHand = {}): Promise<void> {
    const length = texts.text?.length ?? 0;
    const isKept = this.#kept + length <= mostKept;
    if (isKept) this.#kept += length;
    const attempts = this.#attemptsOf(number);
    await this.#add(() => {
      // On a slow disk, the task may have run again before its turn: then it has another answer.
      if (this.#attemptsOf(number) !== attempts) return this.#files.writeTask(number);
      return this.#files.writeTask(number, isKept ? texts : { lastText: texts.lastText });
    });
    if (isKept) this.#kept -= length;
  }

  /**
   * Writes the last page, and at the end of the batch the summary as the last file. Resolves when everything is written, or has failed for good.
   * `areCurrent` then says whether they must be written again.
   */
  async end(): Promise<void> {
    this.#files.isEnding = true;
    await this.#add(async () => {
      this.#endedWith = this.#log.sequence;
      await this.#files.end();
    });
    if (this.#isUnseen) this.#endedWith = this.#log.sequence;
  }

  /** Whether the files show everything in the log. A retry may have come while they waited for a slow disk. */
  get areCurrent(): boolean {
    // Lines that a retry drops may still be queued after the last files, although those include the retry.
    return this.#files.isEnding && this.#endedWith === this.#log.sequence;
  }

  /** Writes nothing beyond the current file. */
  stop(): void {
    this.#jobs.stop();
    this.#files.stop();
  }

  // A job that waited for a slow disk may find another directory.
  #add(job: Job): Promise<void> {
    if (this.#isUnseen) return Promise.resolve();
    return this.#jobs.add(async () => {
      if (this.#files.directory !== this.#log.state.outputDirectory) await this.#files.open();
      await job();
    });
  }

  #attemptsOf(number: number): number {
    return taskOf(this.#log.state, number).attempts.length;
  }
}
