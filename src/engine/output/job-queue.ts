// Jobs that run one after another, without blocking the process.

export type Job = () => Promise<void>;

export class JobQueue {
  readonly #failed: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** `failed` is called with what a job throws; later jobs are then skipped. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Adds a job. Resolves when it has run or was skipped. */
  add(job: Job): Promise<void> {
    this.#last = this.#last.then(() => this.#do(job));
    return this.#last;
  }

  /** Skips all jobs that have not started. */
  stop(): void {
    this.#isStopped = true;
  }

  async #do(job: Job): Promise<void> {
    if (this.#isStopped) return;
    try {
      await job();
    } catch (error) {
      this.stop();
      this.#failed(error);
    }
  }
}
