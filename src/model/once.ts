// What several want at the same time: made once, or one after the other.

/** Values that are made once for each key. One that could not be made is made again when it is asked for. */
export class OncePerKey<Value> {
  readonly #made = new Map<string, Promise<Value>>();

  /** The value of a key. `isKept`: whether a value that was made just now serves for later questions too. */
  of(
    key: string,
    make: () => Promise<Value>,
    isKept: (value: Value) => boolean = () => true,
  ): Promise<Value> {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const forget = () => {
      if (this.#made.get(key) === made) this.#made.delete(key);
    };
    const made = make();
    this.#made.set(key, made);
    made.then((value) => {
      if (!isKept(value)) forget();
    }, forget);
    return made;
  }

  /** Makes it again when it is asked for the next time. */
  forget(key: string): void {
    this.#made.delete(key);
  }
}

/** For each key, one thing after the other, whether the one before worked or not. */
export class TurnPerKey {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Acts once everything of that key which was asked for before is over. */
  async next<Value>(key: string, act: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const own = before.then(act);
    const over = own.catch(() => undefined);
    this.#last.set(key, over);
    try {
      return await own;
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
    }
  }
}

/** A few things at once, first come, first served. */
export class FewAtOnce {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `most`: how many at once. */
  constructor(most: number) {
    this.#free = most;
  }

  /** Acts once it is this one's turn. */
  async next<Value>(act: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free--;
    else {
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn.resolve);
      await turn.promise;
    }
    try {
      return await act();
    } finally {
      // The turn goes straight to the next one, so that no newcomer takes it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
