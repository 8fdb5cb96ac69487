// Ctrl-C, SIGTERM and a closed terminal during a foreground batch: once to end it properly, twice to end it at once.
import { markerOf } from "../../engine/plan-attempt.ts";
import type { BatchState } from "../../model/state.ts";
import { livenessOf, signalGroup, signalProcess } from "../../platform/process.ts";
import { descendantsOf, lookForMarkers } from "../../platform/process-table.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { Store } from "../../store/store.ts";

/** What a shell makes of a process that SIGINT ended. */
export const interruptedStatus = 130;

// A terminal that is closed sends SIGHUP: nobody is left who would look after the sessions.
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens from its making until it is disposed of. */
export class Interruption implements Disposable {
  readonly #log: BatchLog;
  readonly #stateDirectory: string;
  readonly #first: () => void;
  #wanted = false;

  /** `first` is called when the end is asked for. */
  constructor(store: Store, log: BatchLog, first: () => void) {
    this.#log = log;
    this.#stateDirectory = store.layout.stateDirectory;
    this.#first = first;
    for (const signal of signals) process.on(signal, this.#hear);
  }

  /** Whether the end was asked for. */
  get wanted(): boolean {
    return this.#wanted;
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#hear);
  }

  readonly #hear = () => {
    if (this.#wanted) {
      killSessions(this.#log.state);
      process.exit(interruptedStatus);
    }
    this.#wanted = true;
    this.#first();
    this.#cancel();
  };

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
