// The signals that end a command, and the exit status for each.
import { exitStatuses } from "../../../model/exit-status.ts";

// Closing a terminal sends SIGHUP: nobody is left to look. On Windows, Ctrl-Break is what asks a program to end.
const { interrupted, terminated, hungUp } = exitStatuses;
const statuses = {
  SIGINT: interrupted.status,
  SIGTERM: terminated.status,
  SIGHUP: hungUp.status,
  SIGBREAK: terminated.status,
} as const;

type EndingSignal = keyof typeof statuses;

/** The signals that end a command. Those that a system lacks never come. */
export const endingSignals = Object.keys(statuses) as EndingSignal[];

/** Calls `hear` with the status that a shell gives a process ended by the signal. Returns how to stop listening. */
export function onEndingSignal(hear: (status: number) => void): () => void {
  const listeners = endingSignals.map((signal) => [signal, () => hear(statuses[signal])] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/**
 * Ctrl-C, SIGTERM and a closed terminal for a command that only watches. Turns them into an abort signal, so that the
 * terminal is restored first. Until it is disposed of.
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

  /** The exit status, once a signal came. */
  get status(): number | undefined {
    return this.#status;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
