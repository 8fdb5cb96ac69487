// Limits how many sessions run at once: of this batch, and of all batches that share the source.
import { clock } from "../../platform/clock.ts";

/** The right to have one session running, until it is disposed of. */
export type Slot = Disposable;

/** A slot on another machine: `place` is its name. */
export interface PlacedSlot extends Slot {
  readonly place: string;
}

/** Rights to start a session: on this machine, or on one of several. */
export interface StartRights {
  /** Resolves when the task may start; with undefined if that is no longer wanted. */
  acquire(wanted: () => boolean, task: number): Promise<Slot | PlacedSlot | undefined>;
}

/** Where the slots come from that all runners share. */
export interface SlotSource {
  /** Undefined if there is none for us. */
  claim(): number | undefined;
  /** The same, if nobody waits for one; who gets none does not wait. */
  claimUnwaited(): number | undefined;
  release(slot: number): void;
  /** Whether to give one of ours to another waiting runner. */
  yields(): boolean;
  stopWaiting(): void;
}

interface Waiter {
  /** Whether the slot is still wanted. */
  wanted(): boolean;
  take(slot: Slot | undefined): void;
}

/**
 * At most `size()` holders at once, first come, first served, each with a slot of the source. The size may change: who has a
 * slot keeps it.
 */
export class Slots implements StartRights, Disposable {
  readonly #size: () => number;
  readonly #source: SlotSource;
  readonly #isForOne: boolean;
  #taken = 0;
  /** Ours, but without a task for the moment: the next task usually comes within the same turn of the event loop. */
  #idle: number[] = [];
  #waiting: Waiter[] = [];
  #nextLook: Disposable | undefined;
  /** Whether others may be waiting. If not, a slot passes from task to task without asking the store. */
  contended = false;

  /** `isForOne`: one task uses them, so that what it gives back goes to other runners at once, who may be in this process. */
  constructor(size: number | (() => number), source: SlotSource, { isForOne = false } = {}) {
    this.#size = typeof size === "number" ? () => size : size;
    this.#source = source;
    this.#isForOne = isForOne;
  }

  /** Stops asking. Idle slots are released with all others of the runner. */
  [Symbol.dispose](): void {
    this.#nextLook?.[Symbol.dispose]();
    this.#idle = [];
  }

  /** Resolves when a slot is free; with undefined if it is no longer wanted. */
  acquire(wanted: () => boolean = () => true): Promise<Slot | undefined> {
    const { promise, resolve } = Promise.withResolvers<Slot | undefined>();
    this.#waiting.push({ wanted, take: resolve });
    this.#serve();
    if (this.#waiting.length > 0) this.#lookSoon();
    return promise;
  }

  /** A slot, if one is free and nobody waits for it, here or elsewhere; undefined otherwise. */
  acquireNow(): Slot | undefined {
    if (this.isWaitedFor || this.contended || this.#taken >= this.#size()) return undefined;
    // Also for one of ours that is idle: only the source knows whether others wait.
    const idle = this.#idle.pop();
    if (idle !== undefined) this.#source.release(idle);
    const id = this.#source.claimUnwaited();
    if (id === undefined) return undefined;
    this.#taken++;
    return this.#slot(id);
  }

  /** The size may have grown. */
  look(): void {
    this.#serve();
  }

  /** How many more are taken than there should be, because the size has shrunk. */
  get surplus(): number {
    return Math.max(0, this.#taken - this.#size());
  }

  /** Whether somebody of this runner waits for one. */
  get isWaitedFor(): boolean {
    return this.#waiting.length > 0;
  }

  /** A slot that is already taken, for a session that already runs; may exceed the size. */
  adopt(id: number): Slot {
    this.#taken++;
    return this.#slot(id);
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#taken < this.#size()) {
      const id = this.#idle.pop() ?? this.#source.claim();
      if (id === undefined) {
        this.#lookSoon();
        return;
      }
      this.#taken++;
      this.#waiting.shift()?.take(this.#slot(id));
    }
    if (this.#waiting.length === 0) this.#source.stopWaiting();
  }

  #lookSoon(): void {
    this.#nextLook ??= clock.on("soon", () => {
      this.#nextLook?.[Symbol.dispose]();
      this.#nextLook = undefined;
      this.#dropUnwanted();
      this.#serve();
      if (this.#waiting.length > 0) this.#lookSoon();
      for (const id of this.#idle) this.#source.release(id);
      this.#idle = [];
    });
  }

  // Cancelled while it waited: others must not wait for it.
  #dropUnwanted(): void {
    const unwanted = this.#waiting.filter(({ wanted }) => !wanted());
    if (unwanted.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => !unwanted.includes(waiter));
    for (const { take } of unwanted) take(undefined);
  }

  #slot(id: number): Slot {
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#release(id);
        isTaken = false;
      },
    };
  }

  #release(id: number): void {
    const yields = this.contended && this.#source.yields();
    if (!yields && this.#taken <= this.#size()) {
      // The slot goes straight to the next waiter. Put back first, a newcomer could take it in between.
      const next = this.#waiting.shift();
      if (next) {
        next.take(this.#slot(id));
        return;
      }
    }
    this.#taken--;
    if (this.#isForOne) {
      this.#source.release(id);
      clock.soon("soon");
      return;
    }
    if (yields || this.#taken >= this.#size()) this.#source.release(id);
    else this.#idle.push(id);
    // Releases what nobody takes soon; and asks again if the runner yielded.
    this.#lookSoon();
  }
}
