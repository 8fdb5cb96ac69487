// The slots of a far machine, as its keeper gives them away: a runner reserves one by a ticket, and starts its session in it.
// They are those of the machine's own batches, so that what it runs for others counts there too.
import type { SharedSlots } from "../shared/shared-store.ts";

/** Of a session, or of a ticket that has no session yet. */
export interface FarSlot {
  slot: number;
  /** The right to start, until the session has begun. */
  starting: number | undefined;
}

interface FarSlotsParts {
  /** Of sessions, and of starts. */
  slots: SharedSlots;
  starts: SharedSlots;
}

/** The answer to a reservation. */
export type Reserved = { kind: "slot"; slot: FarSlot } | { kind: "full"; because: string };

export class FarSlots {
  readonly #parts: FarSlotsParts;

  constructor(parts: FarSlotsParts) {
    this.#parts = parts;
  }

  /** How many sessions of the account run here, also of batches of this machine. */
  get running(): number {
    return this.#parts.slots.taken();
  }

  reserve(): Reserved {
    const { slots, starts } = this.#parts;
    const slot = slots.claim();
    if (slot === undefined) return { kind: "full", because: "all of its slots are used" };
    slots.stopWaiting();
    const starting = starts.claim();
    if (starting !== undefined) {
      starts.stopWaiting();
      return { kind: "slot", slot: { slot, starting } };
    }
    slots.release(slot);
    return { kind: "full", because: "as many sessions start there as it has processors" };
  }

  /** A slot for a session that runs already, whether there is one or not. */
  force(): FarSlot {
    return { slot: this.#parts.slots.force(), starting: undefined };
  }

  ready(slot: FarSlot): void {
    if (slot.starting !== undefined) this.#parts.starts.release(slot.starting);
    slot.starting = undefined;
  }

  release(slot: FarSlot): void {
    this.ready(slot);
    this.#parts.slots.release(slot.slot);
  }

  releaseAll(): void {
    this.#parts.slots.releaseAll();
    this.#parts.starts.releaseAll();
  }
}
