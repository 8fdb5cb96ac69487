// Limits how many sessions run at once: of this batch, and of all batches of the machine together.

/** The right to have one session running, until it is disposed of. */
export type Slot = Disposable;

/** Where the rights come from that all runners share. */
export interface SlotSource {
  /** Nothing while there is none for us. */
  claim(): number | undefined;
  release(slot: number): void;
  /** Whether one of ours should go to another runner, that waits. */
  yields(): boolean;
  stopWaiting(): void;
}

interface Waiter {
  /** Whether the slot is still of use. */
  wanted(): boolean;
  take(slot: Slot | undefined): void;
}

/** How often a runner that waits for the machine's slots asks again, in milliseconds. */
const askAgainMs = 100;

/** At most `size` holders at once, first come, first served; and none without a slot of the source. */
export class Slots implements Disposable {
  readonly #size: number;
  readonly #source: SlotSource;
  #held = 0;
  /** Slots without a task for the moment: the next one mostly comes within the same turn. */
  #idle: number[] = [];
  #waiting: Waiter[] = [];
  #timer: Timer | undefined;
  /** Whether others may be waiting; as long as they are not, a slot goes from task to task without a question. */
  contended = false;

  constructor(size: number, source: SlotSource) {
    this.#size = size;
    this.#source = source;
  }

  /** Asks for nothing more. What is idle goes back with all else that the runner holds. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#idle = [];
  }

  /** Resolves when a slot is free; with nothing, when it is not wanted any more by then. */
  acquire(wanted: () => boolean = () => true): Promise<Slot | undefined> {
    const { promise, resolve } = Promise.withResolvers<Slot | undefined>();
    this.#waiting.push({ wanted, take: resolve });
    this.#serve();
    if (this.#waiting.length > 0) this.#later();
    return promise;
  }

  /** A slot that is held already, for a session that runs already; it may go above the size. */
  adopt(id: number): Slot {
    this.#held++;
    return this.#slot(id);
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#held < this.#size) {
      const id = this.#idle.pop() ?? this.#source.claim();
      if (id === undefined) {
        this.#later();
        return;
      }
      this.#held++;
      this.#waiting.shift()?.take(this.#slot(id));
    }
    if (this.#waiting.length === 0) this.#source.stopWaiting();
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#dropUnwanted();
      this.#serve();
      if (this.#waiting.length > 0) this.#later();
      for (const id of this.#idle) this.#source.release(id);
      this.#idle = [];
    }, askAgainMs);
  }

  // Cancelled while it waited: nobody must wait for it in turn.
  #dropUnwanted(): void {
    const unwanted = this.#waiting.filter(({ wanted }) => !wanted());
    if (unwanted.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => !unwanted.includes(waiter));
    for (const { take } of unwanted) take(undefined);
  }

  #slot(id: number): Slot {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#release(id);
        held = false;
      },
    };
  }

  #release(id: number): void {
    const yields = this.contended && this.#source.yields();
    if (!yields && this.#held <= this.#size) {
      // The slot goes straight to the next waiter. Put back first, a newcomer could take it in between.
      const next = this.#waiting.shift();
      if (next) {
        next.take(this.#slot(id));
        return;
      }
    }
    this.#held--;
    if (yields || this.#held >= this.#size) this.#source.release(id);
    else this.#idle.push(id);
    // What nobody takes soon goes back; and a runner that yielded asks again.
    this.#later();
  }
}
