// Jobs that are done one after another, while the process goes on.

export type Job = () => Promise<void>;

export class JobQueue {
  readonly #failed: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** `failed` is called with what a job throws; the next ones are not done then. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Adds a job. Resolves when it has been done, or will not be. */
  add(job: Job): Promise<void> {
    this.#last = this.#last.then(() => this.#do(job));
    return this.#last;
  }

  /** Does none of those that have not begun. */
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
