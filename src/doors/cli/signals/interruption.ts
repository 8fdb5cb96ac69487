// Ctrl-C, SIGTERM and a closed terminal during a foreground batch: the first ends it properly, the second kills its
// sessions, so that it ends at once, and the third exits without even that.
import { onEndingSignal } from "./ending-signals.ts";

/** The status that a shell reports for a process that wrote to a pipe without a reader. */
const unreadStatus = 141;

/** How long the end of a batch with killed sessions may take to reach the log, in milliseconds. */
const lastMs = 2_000;

/** What the signals end. */
interface Stoppable {
  /** Properly. */
  stop(): void;
  /** At once. */
  kill(): void;
}

/** Listens from its construction until it is disposed of. */
export class Interruption implements Disposable {
  readonly #batch: Stoppable;
  readonly #first: () => void;
  readonly #unlisten = onEndingSignal((status) => this.#hear(status));
  #status: number | undefined;
  #leaving: Timer | undefined;
  #disposed = false;

  /** `first` is called when the end is first requested. */
  constructor(batch: Stoppable, first: () => void) {
    this.#batch = batch;
    this.#first = first;
  }

  /** The exit status of the first signal, once the end was requested. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Requests the end, like a first Ctrl-C, because nobody reads the output. */
  nobodyReads(): void {
    if (this.#status === undefined && !this.#disposed) this.#hear(unreadStatus);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#leaving);
    this.#unlisten();
  }

  #hear(status: number): void {
    if (this.#status === undefined) {
      this.#status = status;
      this.#first();
      this.#batch.stop();
      return;
    }
    if (this.#leaving) process.exit(this.#status);
    this.#leaving = setTimeout(() => process.exit(this.#status), lastMs);
    this.#batch.kill();
  }
}
