// How the last sessions on a machine have begun. One on which they fail at once would always have the fewest sessions, and so
// get task after task.

/** After this number of failures in a row, a machine gets no more tasks for a while. */
const mostFailures = 3;
/** How long it rests after them, in milliseconds: twice as long after each one more. */
const restMs = { first: 2_000, most: 120_000 } as const;
/** A session that fails sooner after its start has done nothing, in milliseconds. */
export const atOnceMs = 10_000;

/** How long nothing is tried on a machine that lacked something for a start, in milliseconds: twice as long each time. */
const pauseMs = { first: 500, most: 15_000 } as const;

export class Beginnings {
  readonly #now: () => number;
  #failures = 0;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #lacks: { because: string; times: number; until: number } | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether it should get tasks only if no other machine can take them. */
  get isResting(): boolean {
    return this.#now() < this.#restsUntil;
  }

  /** What it lacked for a start a moment ago, in words for people; undefined if another one may be tried. */
  get whyWait(): string | undefined {
    return this.#lacks && this.#now() < this.#lacks.until ? this.#lacks.because : undefined;
  }

  /** It lacked something that may pass, such as room on its disk. */
  lacked(because: string): void {
    const times = (this.#lacks?.times ?? 0) + 1;
    const until = this.#now() + Math.min(pauseMs.most, pauseMs.first * 2 ** (times - 1));
    this.#lacks = { because, times, until };
  }

  /** A session has started. */
  started(): void {
    this.#lacks = undefined;
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
