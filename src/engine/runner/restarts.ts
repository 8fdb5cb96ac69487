// How often, and after which pause, a keeper starts a runner again that ended abnormally.

/** Crashes in a row, before it is given up. */
const mostCrashes = 5;
/** A runner that worked for this long was not at fault from its start: what it ends of is counted anew. */
const goodMs = 10 * 60_000;
const longestPauseMs = 30_000;
/** How long the store, or the system, is waited for that lets no runner work. */
const patienceMs = 24 * 60 * 60_000;

/** What became of a runner: it could not work at all because of disk or system, or it crashed. */
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

  /** A runner is about to be started. */
  began(): void {
    this.#beganAt = this.#now();
  }

  /** The pause before the next start, in milliseconds; nothing when it is given up. */
  pauseAfter(end: RunnerEnd): number | undefined {
    const now = this.#now();
    if (now - this.#beganAt >= goodMs) {
      this.#crashes = 0;
      this.#hinderedSince = undefined;
      this.#hindrances = 0;
    }
    if (end === "crashed") {
      // The first start comes at once; what goes wrong again and again may need a moment to pass.
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
