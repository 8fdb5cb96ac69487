// Writes to a store that another process has locked, without blocking.
import { clock } from "../platform/clock.ts";
import { isBusy } from "./database.ts";

/** How long to wait for another process's transaction, in milliseconds. */
export const lockPatienceMs = 10_000;

/**
 * Reads or writes the store, and retries while it is locked. Between tries, the process does everything else: a server
 * answers other calls. Useful if the database itself waits only briefly.
 */
export async function patiently<Result>(act: () => Result, patienceMs = lockPatienceMs): Promise<Result> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await clock.next("handover");
    }
  }
}
