// Writes to the store that may come late or be lost: on a full disk, nothing fails because of them. What must not be lost
// is in the log, through `RunnerLog`; a test ensures that the engine writes in no third way.
import { isStorageTrouble } from "../../store/database.ts";

/** Runs what may be skipped; returns `otherwise` if storage does not allow it now. Other errors (`Replaced`) pass. */
export function bestEffort<Value>(act: () => Value, otherwise: Value): Value {
  try {
    return act();
  } catch (error) {
    if (!isStorageTrouble(error)) throw error;
    return otherwise;
  }
}

/** Writes that are made as soon as the disk takes them, in order. */
export class LateWrites {
  readonly #pending = new Map<string, () => void>();

  /** Writes now or later. Only the last write of a name counts. */
  write(name: string, act: () => void): void {
    // After earlier pending writes: the later of two may undo the earlier.
    const waits = this.#pending.size > 0;
    this.#pending.delete(name);
    this.#pending.set(name, act);
    if (!waits || this.#pending.size === 1) this.flush();
  }

  /** Makes pending writes, as far as possible now. */
  flush(): void {
    for (const [name, act] of this.#pending) {
      const isMade = bestEffort(() => {
        act();
        return true;
      }, false);
      if (!isMade) return;
      this.#pending.delete(name);
    }
  }
}
