// What keeps all sessions from starting: `claude` is being replaced, or descriptors, processes, memory or disk space have
// run out. No task fails because of it: starts wait, are retried, and say why.
import type { Standstill } from "../../model/standstill.ts";

const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** After this many failures in a row, it is more than momentary. */
const lastingTries = 3;
/** After this long without a sign of it, in milliseconds, the shortage was over meanwhile, or did not matter. */
const forgottenMs = 10_000;

interface Standing extends Standstill {
  /** On the monotonic clock, in milliseconds, as is `nextTryAt`. */
  since: number;
  nextTryAt: number;
  tries: number;
}

export class StartHold {
  readonly #patienceMs: number;
  readonly #now: () => number;
  #standing: Standing | undefined;
  /** A shortage during which no start is tried: since when, and when it was last seen. */
  #lack: { since: number; seenAt: number } | undefined;
  /** The task whose session tries whether it is over. */
  #prober: number | undefined;

  /** `patienceMs`: how long to wait while no session starts or ends. */
  constructor(patienceMs: number, now: () => number = () => performance.now()) {
    this.#patienceMs = patienceMs;
    this.#now = now;
  }

  /** Why no session may start now; undefined if one may, even if only as a try. */
  hindrance(): Standstill | undefined {
    const standing = this.#standing;
    if (!standing || (this.#prober === undefined && this.#now() >= standing.nextTryAt)) return undefined;
    return { because: standing.because, until: standing.until };
  }

  /** Whether starts have failed for more than a moment. */
  get isLasting(): boolean {
    return (this.#standing?.tries ?? 0) >= lastingTries;
  }

  /** The session of this task tries; no other one does until it has shown how that went. */
  claim(task: number): void {
    if (this.#standing) this.#prober = task;
  }

  /** This task did not get to try, so another one may. */
  release(task: number): void {
    if (this.#prober === task) this.#prober = undefined;
  }

  /** A start has failed for this reason. Returns whether to keep waiting. */
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

  /** Something is missing without which no start is tried. Returns whether to keep waiting. */
  lacks(): "wait" | "give-up" {
    const now = this.#now();
    const lack = this.#lack;
    const since = lack && now - lack.seenAt < forgottenMs ? lack.since : now;
    if (now - since >= this.#patienceMs) return this.#giveUp();
    this.#lack = { since, seenAt: now };
    // Once it is there, the next start is due.
    if (this.#standing) this.#standing = { ...this.#standing, nextTryAt: now };
    return "wait";
  }

  /** A session has started: nothing holds the others. */
  started(): void {
    this.#prober = undefined;
    this.#standing = undefined;
    this.#lack = undefined;
  }

  /** A session has ended, which may have freed something: the next one tries at once, and patience starts again. */
  ended(): void {
    this.#lack = undefined;
    if (this.#standing) this.#standing = { ...this.#standing, since: this.#now(), nextTryAt: this.#now() };
  }

  // Tasks that are retried later wait anew.
  #giveUp(): "give-up" {
    this.started();
    return "give-up";
  }
}
