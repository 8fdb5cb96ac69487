// Ctrl-C, SIGTERM and a closed terminal during a foreground batch: once to end it properly, twice to kill its sessions, so
// that it ends at once, and three times to leave without even that.
import { markerOfAttempt } from "../../../engine/attempt/session-name.ts";
import { localProcess } from "../../../model/session-ref.ts";
import type { BatchState } from "../../../model/state.ts";
import { livenessOf, signalGroup, signalProcess } from "../../../platform/process.ts";
import { descendantsOf, lookForMarkers } from "../../../platform/process-table.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { isStoreError } from "../../../store/database.ts";
import { Store } from "../../../store/store.ts";
import { onEndingSignal } from "./ending-signals.ts";

/** What a shell makes of a process that wrote into a pipe without a reader. */
const unreadStatus = 141;

/** How long the end of a batch whose sessions were killed may take to get into the log, in milliseconds. */
const lastMs = 2_000;

/** How long this process may stand still for a store that is locked, in milliseconds. */
const busyTimeoutMs = 100;

/** Between two tries to ask for the end where the store cannot be written, in milliseconds. */
const againMs = 1_000;

/** Listens from its making until it is disposed of. */
export class Interruption implements Disposable {
  readonly #log: BatchLog;
  readonly #stateDirectory: string;
  readonly #first: () => void;
  readonly #stop = onEndingSignal((status) => this.#hear(status));
  readonly #cancelled = new AbortController();
  #status: number | undefined;
  #leaving: Timer | undefined;
  #again: Timer | undefined;
  #disposed = false;

  /** `first` is called when the end is asked for. */
  constructor(store: Store, log: BatchLog, first: () => void) {
    this.#log = log;
    this.#stateDirectory = store.layout.stateDirectory;
    this.#first = first;
  }

  /** The exit status, once the end was asked for: that of the first signal. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Aborted once the end has been asked for in the log. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** Asks for the end, as a first Ctrl-C does, because nobody reads what is printed. */
  nobodyReads(): void {
    if (this.#status === undefined && !this.#disposed) this.#hear(unreadStatus);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#leaving);
    clearTimeout(this.#again);
    this.#stop();
  }

  #hear(status: number): void {
    if (this.#status === undefined) {
      this.#status = status;
      this.#first();
      this.#cancel();
      return;
    }
    if (this.#leaving) process.exit(this.#status);
    // With them gone, the runner in this process ends the batch, and every later look shows that it was cancelled.
    this.#leaving = setTimeout(() => process.exit(this.#status), lastMs);
    killSessions(this.#log.state);
  }

  #cancel(): void {
    try {
      this.#ask();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // The disk is full, or the store is locked: that passes, and a second signal needs no store.
      this.#again = setTimeout(() => this.#cancel(), againMs);
      return;
    }
    this.#cancelled.abort();
  }

  // Through a connection of its own: the runner in this process looks for what *other* connections committed.
  #ask(): void {
    using store = new Store(this.#stateDirectory, { busyTimeoutMs });
    store
      .batch(this.#log.batchId)
      ?.append((state) => (state.endedAt === undefined ? [{ type: "cancel-requested", by: "user" }] : []));
  }
}

function killSessions({ batch, tasks }: BatchState): void {
  const attempts = tasks.flatMap((task) => {
    const attempt = task.status === "running" ? task.attempts.at(-1) : undefined;
    const identity = localProcess(attempt?.identity);
    return attempt && identity
      ? [{ identity, marker: markerOfAttempt(batch.batchId, task.number, attempt) }]
      : [];
  });
  for (const { identity } of attempts) {
    if (livenessOf(identity) !== "alive") continue;
    // Noted before the kill: with the leader gone, they are nobody's descendants any more.
    const descendants = descendantsOf(identity.pid);
    signalGroup(identity.pid, "SIGKILL");
    for (const descendant of descendants) signalProcess(descendant, "SIGKILL");
  }
  const left = lookForMarkers(new Set(attempts.map(({ marker }) => marker))).byMarker;
  for (const identity of [...left.values()].flat()) signalProcess(identity, "SIGKILL");
}
