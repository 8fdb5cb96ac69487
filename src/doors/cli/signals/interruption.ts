// Ctrl-C, SIGTERM and a closed terminal during a foreground batch: the first ends it properly, the second kills its
// sessions, so that it ends at once, and the third exits without even that.
import { markerOfAttempt } from "../../../engine/attempt/session-name.ts";
import { localProcess } from "../../../model/session-ref.ts";
import type { BatchState } from "../../../model/state.ts";
import { livenessOf, signalGroup, signalProcess } from "../../../platform/process.ts";
import { descendantsOf, lookForMarkers } from "../../../platform/process-table.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { isStoreError } from "../../../store/database.ts";
import { Store } from "../../../store/store.ts";
import { onEndingSignal } from "./ending-signals.ts";

/** The status that a shell reports for a process that wrote to a pipe without a reader. */
const unreadStatus = 141;

/** How long the end of a batch with killed sessions may take to reach the log, in milliseconds. */
const lastMs = 2_000;

/** How long this process may block for a locked store, in milliseconds. */
const busyTimeoutMs = 100;

/** Between two tries to request the end while the store cannot be written, in milliseconds. */
const againMs = 1_000;

/** Listens from its construction until it is disposed of. */
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

  /** `first` is called when the end is first requested. */
  constructor(store: Store, log: BatchLog, first: () => void) {
    this.#log = log;
    this.#stateDirectory = store.layout.stateDirectory;
    this.#first = first;
  }

  /** The exit status of the first signal, once the end was requested. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Aborted once the end was requested in the log. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** Requests the end, like a first Ctrl-C, because nobody reads the output. */
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
    // Without its sessions, the runner in this process ends the batch, and every later look shows that it was cancelled.
    this.#leaving = setTimeout(() => process.exit(this.#status), lastMs);
    killSessions(this.#log.state);
  }

  #cancel(): void {
    try {
      this.#ask();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // The disk is full, or the store is locked. That may pass, and a second signal needs no store.
      this.#again = setTimeout(() => this.#cancel(), againMs);
      return;
    }
    this.#cancelled.abort();
  }

  // Through its own connection, because the runner in this process looks for commits of *other* connections.
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
    // Listed before the kill: without their parent, they are no descendants any more.
    const descendants = descendantsOf(identity.pid);
    signalGroup(identity.pid, "SIGKILL");
    for (const descendant of descendants) signalProcess(descendant, "SIGKILL");
  }
  const left = lookForMarkers(new Set(attempts.map(({ marker }) => marker))).byMarker;
  for (const identity of [...left.values()].flat()) signalProcess(identity, "SIGKILL");
}
