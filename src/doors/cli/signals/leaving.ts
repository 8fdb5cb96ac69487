// Ctrl-C, SIGTERM and a closed terminal while somebody only looks on.
import { onEndingSignal } from "./ending-signals.ts";

/** Turns the wish to leave into a signal, so that the terminal is given back first. Until it is disposed of. */
export class Leaving implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop = onEndingSignal((status) => {
    this.#status ??= status;
    this.#controller.abort();
  });
  #status: number | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status, once somebody wants to leave. */
  get status(): number | undefined {
    return this.#status;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
