// What keeps sessions from starting that is not one task's own: `claude` is being replaced, or descriptors, processes,
// memory or disk space have run out. No task fails for it: starts wait, are tried again, and say why.
import type { Standstill } from "../../model/standstill.ts";

const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** After this many failures in a row, it is more than a moment's trouble. */
const lastingTries = 3;
/** After this long without a sign that it is missing, it was there meanwhile, or nobody needed it. */
const forgottenMs = 10_000;

interface Standing extends Standstill {
  /** These are of the monotonic clock, in milliseconds. */
  since: number;
  nextTryAt: number;
  tries: number;
}

export class StartHold {
  readonly #patienceMs: number;
  readonly #now: () => number;
  #standing: Standing | undefined;
  /** What is missing without which no start is tried, since when, and when that was seen last. */
  #lack: { since: number; seenAt: number } | undefined;
  /** The task whose session tries whether it is over. */
  #prober: number | undefined;

  /** `patienceMs`: how long to wait while no session starts or ends. */
  constructor(patienceMs: number, now: () => number = () => performance.now()) {
    this.#patienceMs = patienceMs;
    this.#now = now;
  }

  /** Why no session may start now; nothing where one may, be it to try. */
  hindrance(): Standstill | undefined {
    const standing = this.#standing;
    if (!standing || (this.#prober === undefined && this.#now() >= standing.nextTryAt)) return undefined;
    return { because: standing.because, until: standing.until };
  }

  /** Whether starts have failed for more than a moment. */
  get isLasting(): boolean {
    return (this.#standing?.tries ?? 0) >= lastingTries;
  }

  /** The session of this task tries; until it has shown how that went, no other one does. */
  claim(task: number): void {
    if (this.#standing) this.#prober = task;
  }

  /** What this task was to try, another one may: it did not come to that. */
  release(task: number): void {
    if (this.#prober === task) this.#prober = undefined;
  }

  /** A start has failed for this reason. Gives whether it is worth waiting any longer. */
  met(because: string): "wait" | "give-up" {
    const now = this.#now();
    const { since = now, tries = 0 } = this.#standing ?? {};
    this.#prober = undefined;
    if (now - since >= this.#patienceMs) return this.#giveUp();
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(tries, 20));
    this.#standing = {
      because,
      since,
      tries: tries + 1,
      nextTryAt: now + delayMs,
      until: Date.now() + delayMs,
    };
    return "wait";
  }

  /** Something is missing without which no start is tried. Gives whether it is worth waiting any longer. */
  lacks(): "wait" | "give-up" {
    const now = this.#now();
    const lack = this.#lack;
    const since = lack && now - lack.seenAt < forgottenMs ? lack.since : now;
    if (now - since >= this.#patienceMs) return this.#giveUp();
    this.#lack = { since, seenAt: now };
    // As soon as it is there, the next start is due.
    if (this.#standing) this.#standing = { ...this.#standing, nextTryAt: now };
    return "wait";
  }

  /** A session has started: nothing holds the others. */
  started(): void {
    this.#prober = undefined;
    this.#standing = undefined;
    this.#lack = undefined;
  }

  /** A session has ended, which may have made room: the next one tries at once, and patience begins anew. */
  ended(): void {
    this.#lack = undefined;
    if (this.#standing) this.#standing = { ...this.#standing, since: this.#now(), nextTryAt: this.#now() };
  }

  // Whoever asks for the tasks again begins to wait anew.
  #giveUp(): "give-up" {
    this.started();
    return "give-up";
  }
}
