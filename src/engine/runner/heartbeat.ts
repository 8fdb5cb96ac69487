// When a runner says again that it lives.

/** How often, in milliseconds. */
const everyMs = 15_000;

interface Clocks {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that nobody sets. */
  monotonicNow(): number;
}

const clocks: Clocks = { now: () => Date.now(), monotonicNow: () => performance.now() };

/** The monotonic clock stands still while the machine sleeps; others go by the time of day, which may be set back. */
export class Heartbeat {
  readonly #clocks: Clocks;
  #saidAt: number;
  #saidAtMonotonic: number;

  /** It was said just now. */
  constructor(given: Clocks = clocks) {
    this.#clocks = given;
    this.#saidAt = given.now();
    this.#saidAtMonotonic = given.monotonicNow();
  }

  /** The time of day to say, where it is time to say it: it counts as said then. */
  due(): number | undefined {
    const [now, monotonicNow] = [this.#clocks.now(), this.#clocks.monotonicNow()];
    const isSaid = monotonicNow - this.#saidAtMonotonic < everyMs && Math.abs(now - this.#saidAt) < everyMs;
    if (isSaid) return undefined;
    this.#saidAt = now;
    this.#saidAtMonotonic = monotonicNow;
    return now;
  }
}
