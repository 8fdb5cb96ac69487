// At most so many holders at once.

/** The right to have one session running, until it is disposed of. */
export type Slot = Disposable;

/** At most `size` holders at once, first come, first served. */
export class Slots {
  readonly #size: number;
  #held = 0;
  #waiting: ((slot: Slot) => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** Resolves when a slot is free. */
  acquire(): Promise<Slot> {
    if (this.#held < this.#size) {
      this.#held++;
      return Promise.resolve(this.#slot());
    }
    const { promise, resolve } = Promise.withResolvers<Slot>();
    this.#waiting.push(resolve);
    return promise;
  }

  #slot(): Slot {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#release();
        held = false;
      },
    };
  }

  #release(): void {
    // The slot goes straight to the next waiter. Put back first, a newcomer could take it in between.
    const next = this.#waiting.shift();
    if (next) next(this.#slot());
    else this.#held--;
  }
}
