// Ctrl-C, SIGTERM and a closed terminal during a foreground batch: once to end it properly, twice to end it at once.
import { markerOf } from "../../engine/plan-attempt.ts";
import type { BatchState } from "../../model/state.ts";
import { livenessOf, signalGroup, signalProcess } from "../../platform/process.ts";
import { descendantsOf, lookForMarkers } from "../../platform/process-table.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { Store } from "../../store/store.ts";
import { onEndingSignal } from "./ending-signals.ts";

/** What a shell makes of a process that wrote into a pipe without a reader. */
const unreadStatus = 141;

/** Listens from its making until it is disposed of. */
export class Interruption implements Disposable {
  readonly #log: BatchLog;
  readonly #stateDirectory: string;
  readonly #first: () => void;
  readonly #stop = onEndingSignal((status) => this.#hear(status));
  #status: number | undefined;
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

  /** Asks for the end, as a first Ctrl-C does, because nobody reads what is printed. */
  nobodyReads(): void {
    if (this.#status === undefined && !this.#disposed) this.#hear(unreadStatus);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#stop();
  }

  #hear(status: number): void {
    if (this.#status !== undefined) {
      killSessions(this.#log.state);
      process.exit(this.#status);
    }
    this.#status = status;
    this.#first();
    this.#cancel();
  }

  // Through a connection of its own: the runner in this process looks for what *other* connections committed.
  #cancel(): void {
    using store = new Store(this.#stateDirectory);
    store
      .batch(this.#log.batchId)
      ?.append((state) => (state.endedAt === undefined ? [{ type: "cancel-requested", by: "user" }] : []));
  }
}

function killSessions({ batch, tasks }: BatchState): void {
  const attempts = tasks.flatMap((task) => {
    const attempt = task.status === "running" ? task.attempts.at(-1) : undefined;
    return attempt
      ? [{ ...attempt, marker: markerOf(batch.batchId, task.number, attempt.number, attempt.sessionId) }]
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
