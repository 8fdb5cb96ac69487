// The log as the runner of a batch writes it: under its epoch, and waiting while the disk is full. All three calls throw
// `Replaced` once another runner has the batch.
import type { Event, EventBody } from "../../model/event.ts";
import type { BatchState } from "../../model/state.ts";
import { clock } from "../../platform/clock.ts";
import { type BatchLog, Replaced } from "../../store/batch-log.ts";
import { isStorageTrouble } from "../../store/database.ts";
import { bestEffort } from "../shared/late-writes.ts";

/** The events that a runner wants to add to the newest state. */
type Decide = (state: BatchState) => EventBody[];

export class RunnerLog {
  readonly #log: BatchLog;
  readonly #epoch: number;
  readonly #changed: () => void;

  /** `changed` is called after every change, ours or another process's. */
  constructor(log: BatchLog, epoch: number, changed: () => void) {
    this.#log = log;
    this.#epoch = epoch;
    this.#changed = changed;
  }

  get batchId() {
    return this.#log.batchId;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get state(): BatchState {
    return this.#log.state;
  }

  /** Appends what the next beat would decide again: on a full disk, nothing. Throws `Replaced` like `commit`. */
  tryAppend(decide: Decide): Event[] {
    return bestEffort(() => this.#append(decide), []);
  }

  /**
   * Appends what must be in the log before anything else happens: waits while the disk is full. Throws `Replaced` if
   * another runner has the batch.
   */
  async commit(decide: Decide): Promise<Event[]> {
    for (;;) {
      try {
        return this.#append(decide);
      } catch (error) {
        if (!isStorageTrouble(error)) throw error;
        console.error(`${new Date().toISOString()} The log cannot be written: ${error.message}`);
        await clock.next("second");
      }
    }
  }

  /** Reads and returns what others have appended. Throws `Replaced` if one of them is the next runner. */
  readOthers(): Event[] {
    const events = this.#log.refresh();
    if (this.state.epoch !== this.#epoch) throw new Replaced(this.batchId);
    if (events.length > 0) this.#changed();
    return events;
  }

  #append(decide: Decide): Event[] {
    const events = this.#log.append(decide, this.#epoch);
    this.#changed();
    return events;
  }
}
