// How often, and after which pause, a keeper restarts a runner that ended abnormally.

/** Crashes in a row before giving up. */
const mostCrashes = 5;
/** A runner that worked this long did not fail because of its start, so counting begins again, in milliseconds. */
const goodMs = 10 * 60_000;
const longestPauseMs = 30_000;
/** How long to wait for a store or system that lets no runner work, in milliseconds. */
const patienceMs = 24 * 60 * 60_000;

/** How a runner ended: disk or system kept it from working, or it crashed. */
export type RunnerEnd = "blocked" | "crashed";

export class Restarts {
  readonly #now: () => number;
  #startedAt: number;
  #crashes = 0;
  #blocks = 0;
  #blockedSince: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#startedAt = now();
  }

  /** Call before each start. */
  started(): void {
    this.#startedAt = this.#now();
  }

  /** The pause before the next start, in milliseconds; undefined to give up. */
  pauseAfter(end: RunnerEnd): number | undefined {
    const now = this.#now();
    if (now - this.#startedAt >= goodMs) {
      this.#crashes = 0;
      this.#blockedSince = undefined;
      this.#blocks = 0;
    }
    if (end === "crashed") {
      // The first restart is immediate; repeated problems may need a moment to pass.
      const pause = this.#crashes === 0 ? 0 : pauseOf(this.#crashes);
      return ++this.#crashes > mostCrashes ? undefined : pause;
    }
    this.#blockedSince ??= now;
    return now - this.#blockedSince > patienceMs ? undefined : pauseOf(++this.#blocks);
  }
}

function pauseOf(times: number): number {
  return Math.min(longestPauseMs, 250 * 2 ** Math.min(times, 20));
}
