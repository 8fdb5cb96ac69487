// How the last sessions on a machine have begun. One on which they fail at once would always have the fewest sessions, and so
// get task after task.

/** After so many failures in a row, a machine gets no more tasks for a while. */
const mostFailures = 3;
/** How long it rests after them, in milliseconds: twice as long after each one more. */
const restMs = { first: 2_000, most: 120_000 } as const;
/** A session that fails sooner after its start has done nothing, in milliseconds. */
export const atOnceMs = 10_000;

export class Beginnings {
  readonly #now: () => number;
  #failures = 0;
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether it should get tasks only if no other machine can take them. */
  get isResting(): boolean {
    return this.#now() < this.#restsUntil;
  }

  /** A session could not start, or has failed at once. */
  failed(): void {
    this.#failures++;
    const more = this.#failures - mostFailures;
    if (more >= 0) this.#restsUntil = this.#now() + Math.min(restMs.most, restMs.first * 2 ** more);
  }

  /** A session has begun to work. */
  worked(): void {
    this.#failures = 0;
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }
}
