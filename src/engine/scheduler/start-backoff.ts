// When to try a start again after one has failed: `claude` is being replaced, or descriptors, processes, memory or disk
// space have run out. No task fails because of it: starts wait, are retried, and say why.
import type { WaitReason } from "../../model/wait-reason.ts";

const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** After this many failures in a row, it is more than momentary. */
const lastingTries = 3;
/** After this long without a sign of it, in milliseconds, the shortage was over meanwhile, or did not matter. */
const forgottenMs = 10_000;

/** What makes starts fail at present. */
interface Failing extends WaitReason {
  /** On the monotonic clock, in milliseconds, as is `nextTryAt`. */
  since: number;
  nextTryAt: number;
  tries: number;
}

export class StartBackoff {
  readonly #patienceMs: number;
  readonly #now: () => number;
  #failing: Failing | undefined;
  /** A shortage during which no start is tried: since when, and when it was last seen. */
  #shortage: { since: number; seenAt: number } | undefined;
  /** The task whose session tries whether it is over. */
  #prober: number | undefined;

  /** `patienceMs`: how long to wait while no session starts or ends. */
  constructor(patienceMs: number, now: () => number = () => performance.now()) {
    this.#patienceMs = patienceMs;
    this.#now = now;
  }

  /** Why no session may start now; undefined if one may, even if only as a try. */
  waitReason(): WaitReason | undefined {
    const failing = this.#failing;
    if (!failing || (this.#prober === undefined && this.#now() >= failing.nextTryAt)) return undefined;
    return { because: failing.because, until: failing.until };
  }

  /** Whether starts have failed for more than a moment. */
  get isLasting(): boolean {
    return (this.#failing?.tries ?? 0) >= lastingTries;
  }

  /** The session of this task tries; no other one does until it has shown how that went. */
  claim(task: number): void {
    if (this.#failing) this.#prober = task;
  }

  /** This task did not get to try, so another one may. */
  release(task: number): void {
    if (this.#prober === task) this.#prober = undefined;
  }

  /** A start has failed for this reason. Returns whether to keep waiting. */
  failed(because: string): "wait" | "give-up" {
    const now = this.#now();
    const { since = now, tries = 0 } = this.#failing ?? {};
    this.#prober = undefined;
    if (now - since >= this.#patienceMs) return this.#giveUp();
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(tries, 20));
    this.#failing = {
      because,
      since,
      tries: tries + 1,
      nextTryAt: now + delayMs,
      until: Date.now() + delayMs,
    };
    return "wait";
  }

  /** Something is missing without which no start is tried. Returns whether to keep waiting. */
  lacked(): "wait" | "give-up" {
    const now = this.#now();
    const before = this.#shortage;
    const since = before && now - before.seenAt < forgottenMs ? before.since : now;
    if (now - since >= this.#patienceMs) return this.#giveUp();
    this.#shortage = { since, seenAt: now };
    // Once it is there, the next start is due.
    if (this.#failing) this.#failing = { ...this.#failing, nextTryAt: now };
    return "wait";
  }

  /** A session has started: nothing keeps the others from starting. */
  started(): void {
    this.#prober = undefined;
    this.#failing = undefined;
    this.#shortage = undefined;
  }

  /** A session has ended, which may have freed something: the next one tries at once, and patience starts again. */
  ended(): void {
    this.#shortage = undefined;
    if (this.#failing) this.#failing = { ...this.#failing, since: this.#now(), nextTryAt: this.#now() };
  }

  // Tasks that are retried later wait anew.
  #giveUp(): "give-up" {
    this.started();
    return "give-up";
  }
}
