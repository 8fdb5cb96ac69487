// Ctrl-C, SIGTERM and a closed terminal while somebody only looks on.

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Turns the wish to leave into a signal, so that the terminal is given back first. Until it is disposed of. */
export class Leaving implements Disposable {
  readonly #controller = new AbortController();

  constructor() {
    for (const signal of signals) process.on(signal, this.#leave);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#leave);
  }

  readonly #leave = () => this.#controller.abort();
}
