// Waits for a batch that other processes run.
import type { BatchState } from "../model/state.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { Store } from "../store/store.ts";

/** How often to check the store for changes, in milliseconds: a few microseconds each time. */
const lookMs = 40;

interface Following {
  /** On the monotonic clock, in milliseconds. */
  until: number;
  signal: AbortSignal;
  changed?(state: BatchState): void;
  /** Whether to stop waiting before the batch has ended. */
  enough?(state: BatchState): boolean;
}

/**
 * Waits until the batch has ended, the signal is aborted, or `until` (on the monotonic clock) is reached. Calls `changed`
 * after every change, the end included. Returns whether the batch has ended.
 */
export async function follow(
  store: Store,
  log: BatchLog,
  { until, signal, changed, enough }: Following,
): Promise<boolean> {
  let changeCount = -1;
  while (!signal.aborted) {
    const count = store.changeCount();
    if (count !== changeCount) {
      changeCount = count;
      const events = log.refresh();
      if (events.length > 0) changed?.(log.state);
      if (log.state.endedAt !== undefined) return true;
    }
    if (enough?.(log.state)) return false;
    const left = until - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(lookMs, left), signal);
  }
  return false;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
}
