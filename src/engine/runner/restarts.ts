// How often, and after which pause, a keeper restarts a runner that ended abnormally.

/** Crashes in a row before giving up. */
const mostCrashes = 5;
/** A runner that worked this long did not fail because of its start, so counting begins again, in milliseconds. */
const goodMs = 10 * 60_000;
const longestPauseMs = 30_000;
/** How long to wait for a store or system that lets no runner work, in milliseconds. */
const patienceMs = 24 * 60 * 60_000;

/** How a runner ended: disk or system prevented it from working, or it crashed. */
export type RunnerEnd = "hindered" | "crashed";

export class Restarts {
  readonly #now: () => number;
  #beganAt: number;
  #crashes = 0;
  #hindrances = 0;
  #hinderedSince: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#beganAt = now();
  }

  /** Call before each start. */
  began(): void {
    this.#beganAt = this.#now();
  }

  /** The pause before the next start, in milliseconds; undefined to give up. */
  pauseAfter(end: RunnerEnd): number | undefined {
    const now = this.#now();
    if (now - this.#beganAt >= goodMs) {
      this.#crashes = 0;
      this.#hinderedSince = undefined;
      this.#hindrances = 0;
    }
    if (end === "crashed") {
      // The first restart is immediate; repeated problems may need a moment to pass.
      const pause = this.#crashes === 0 ? 0 : pauseOf(this.#crashes);
      return ++this.#crashes > mostCrashes ? undefined : pause;
    }
    this.#hinderedSince ??= now;
    return now - this.#hinderedSince > patienceMs ? undefined : pauseOf(++this.#hindrances);
  }
}

function pauseOf(times: number): number {
  return Math.min(longestPauseMs, 250 * 2 ** Math.min(times, 20));
}
