// Waits for a batch that other processes run.
import type { BatchState } from "../model/state.ts";
import { Pace, Wake } from "../platform/clock.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { BatchRow, Store } from "../store/store.ts";
import { rowOf } from "./find-batch.ts";
import { UserError } from "./user-error.ts";

/** For how long after a change the processes of a batch are looked at every second, in milliseconds. */
const livelyMs = 5_000;

interface Following {
  /** On the monotonic clock, in milliseconds. */
  until: number;
  signal: AbortSignal;
  changed?(state: BatchState): void;
  /**
   * Whether to stop waiting before the batch has ended. Asked after every change of the store, and every few seconds. `row`
   * reads the batch's row, once after each change.
   */
  enough?(state: BatchState, row: () => BatchRow): boolean;
  /** Whether it may hear of a change a quarter of a second later. */
  isPatient?: boolean;
  /** Also wakes this wait, to ask whether it is enough. */
  wake?: Wake;
}

/**
 * Waits until the batch has ended, the signal is aborted, or `until` is reached. Calls `changed` after every change, the
 * end included. Returns whether the batch has ended. Throws `UserError` if the state directory was removed, moved or
 * replaced.
 */
export async function follow(
  store: Store,
  log: BatchLog,
  { until, signal, changed, enough, isPatient = false, wake = new Wake() }: Following,
): Promise<boolean> {
  let mayHaveChanged = true;
  let row: BatchRow | undefined;
  const newestRow = () => (row ??= rowOf({ store }, log));
  using _changes = store.changes.subscribe(
    () => {
      mayHaveChanged = true;
      wake.now();
    },
    { isPatient },
  );
  // Processes that have gone change nothing in the store.
  using pace = new Pace(wake.now);
  let changedAt = performance.now();
  signal.addEventListener("abort", wake.now);
  try {
    while (!signal.aborted) {
      // Its processes may write to the removed file for long, but nobody else can find the batch any more.
      if (!store.isInPlace) throw new UserError(removedText(store, log));
      if (mayHaveChanged) {
        mayHaveChanged = false;
        row = undefined;
        if (log.refresh().length > 0) {
          changedAt = performance.now();
          changed?.(log.state);
        }
        if (log.state.endedAt !== undefined) return true;
      }
      if (enough?.(log.state, newestRow)) return false;
      const left = until - performance.now();
      if (left <= 0) return false;
      pace.at(performance.now() - changedAt < livelyMs ? "second" : "rest");
      await wake.within(left);
    }
    return false;
  } finally {
    signal.removeEventListener("abort", wake.now);
  }
}

function removedText({ layout }: Store, { state }: BatchLog): string {
  return `The state directory ${layout.stateDirectory} was removed, moved or replaced, so batch ${state.batch.batchId} cannot be followed any more. Its running sessions continue, and its results are written to ${state.outputDirectory}.`;
}
