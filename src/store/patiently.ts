// Writing to a store that another process has locked, without standing still meanwhile.
import { isBusy } from "./database.ts";

/** How long another process's transaction is waited for, in milliseconds. */
export const lockPatienceMs = 10_000;
/** Between two tries, in milliseconds. */
const againMs = 50;

/**
 * Does what reads or writes the store, again and again while that is locked. In between, this process does all else: a
 * server answers its other calls. Of use where the database itself waits only for a moment.
 */
export async function patiently<Result>(act: () => Result, patienceMs = lockPatienceMs): Promise<Result> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await Bun.sleep(againMs);
    }
  }
}
