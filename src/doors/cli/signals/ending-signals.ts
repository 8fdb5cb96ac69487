// The signals that ask a command to end, and the exit status that says which one it was.

// A terminal that is closed sends SIGHUP: nobody is left who would look on.
const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type EndingSignal = keyof typeof statuses;

const signals = Object.keys(statuses) as EndingSignal[];

/** Calls `hear` with the status that a shell gives a process which the signal has ended. Gives how to stop listening. */
export function onEndingSignal(hear: (status: number) => void): () => void {
  const listeners = signals.map((signal) => [signal, () => hear(statuses[signal])] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/**
 * Ctrl-C, SIGTERM and a closed terminal while somebody only looks on. Turns the wish to leave into a signal, so that the
 * terminal is given back first. Until it is disposed of.
 */
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
