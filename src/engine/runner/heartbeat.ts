// When a runner sends its next heartbeat.

/** How often, in milliseconds. */
const everyMs = 15_000;

interface Clocks {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock that nobody sets. */
  monotonicNow(): number;
}

const clocks: Clocks = { now: () => Date.now(), monotonicNow: () => performance.now() };

/**
 * The monotonic clock stops while the machine sleeps, and others compare by the time of day, which may be set back. So
 * both count.
 */
export class Heartbeat {
  readonly #clocks: Clocks;
  #saidAt: number;
  #saidAtMonotonic: number;

  /** The first heartbeat was sent just now. */
  constructor(given: Clocks = clocks) {
    this.#clocks = given;
    this.#saidAt = given.now();
    this.#saidAtMonotonic = given.monotonicNow();
  }

  /** The time of day to send, if one is due; it then counts as sent. */
  due(): number | undefined {
    const [now, monotonicNow] = [this.#clocks.now(), this.#clocks.monotonicNow()];
    const isSaid = monotonicNow - this.#saidAtMonotonic < everyMs && Math.abs(now - this.#saidAt) < everyMs;
    if (isSaid) return undefined;
    this.#saidAt = now;
    this.#saidAtMonotonic = monotonicNow;
    return now;
  }
}
