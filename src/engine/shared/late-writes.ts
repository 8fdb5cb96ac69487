// Writes to the store that may come late, or be lost: on a full disk, nothing fails for them. What must not be lost is
// in the log, and goes through `RunnerLog`; a test holds that the engine writes in no third way.
import { isStorageTrouble } from "../../store/database.ts";

/** Does what may as well not be done; gives `otherwise` where the place of the store does not allow it now. */
export function bestEffort<Value>(act: () => Value, otherwise: Value): Value {
  try {
    return act();
  } catch (error) {
    if (!isStorageTrouble(error)) throw error;
    return otherwise;
  }
}

/** Writes that are made as soon as the disk takes them, in their order. */
export class LateWrites {
  readonly #pending = new Map<string, () => void>();

  /** Writes now, or later. Of one name, only the last write counts. */
  write(name: string, act: () => void): void {
    // Behind what waits already: the later one of two may undo the earlier one.
    const waits = this.#pending.size > 0;
    this.#pending.delete(name);
    this.#pending.set(name, act);
    if (!waits || this.#pending.size === 1) this.flush();
  }

  /** Makes what waits, as far as that is possible now. */
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
