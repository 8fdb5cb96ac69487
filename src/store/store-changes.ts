// Wakes everybody in this process who waits for the store, when another process has written to it: one watch, and one look
// at the store, for all of them.
import { byItself, type Clock, monotonicMs, clock as ownClock, type RhythmName } from "../platform/clock.ts";
import { basename } from "../platform/paths.ts";
import { type Watch, watchDirectory } from "../platform/watch.ts";
import type { Store } from "./store.ts";

/** Between two looks while somebody writes all the time, in milliseconds: after a change by others, and without one. */
const restMs = { changed: 40, unchanged: 15 } as const;

/**
 * SQLite writes a commit into its log before it counts, so the watch may report it too early; a busy machine may take this
 * long in between, in milliseconds.
 */
const settledMs = 150;

/**
 * For how long after a change the store is looked at most often without a reliable watch, in milliseconds. A second after it, nobody
 * minds a moment more, and 25 wake-ups a second would cost most of what waiting costs.
 */
const busyMs = 1_000;

/**
 * More reports of the watch than this within a second cost more than to look at the store 25 times instead: each one wakes
 * the process, for about 0.1 ms.
 */
const mostReports = 40;

/** For how long nobody else must have written before the store is watched again, in milliseconds. */
const quietMs = 1_000;

type Watched = Pick<Store, "layout" | "changeCount">;

interface Means {
  clock?: Pick<Clock, "on">;
  watch?: typeof watchDirectory;
  /** On the monotonic clock, in milliseconds. */
  now?: () => number;
}

export class StoreChanges implements Disposable {
  readonly #store: Watched;
  readonly #clock: Pick<Clock, "on">;
  readonly #watchIn: typeof watchDirectory;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  /** None while too much is written. */
  #watch: Watch | undefined;
  /** Reports of the watch within one second, from its first one on. */
  #reports = { since: Number.NEGATIVE_INFINITY, count: 0 };
  /** When the watch was given up, on the monotonic clock. */
  #floodedAt = Number.NEGATIVE_INFINITY;
  /** Looks all the same. */
  #ticking: Disposable | undefined;
  #pace: RhythmName | undefined;
  /** The last change by others, on the monotonic clock. */
  #changedAt = Number.NEGATIVE_INFINITY;
  #count: number | undefined;
  /** When to look next at the soonest, on the monotonic clock. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #rest: Timer | undefined;
  #settling: Timer | undefined;

  constructor(store: Watched, { clock = ownClock, watch = watchDirectory, now = monotonicMs }: Means = {}) {
    this.#now = now;
    this.#store = store;
    this.#clock = clock;
    this.#watchIn = watch;
  }

  /**
   * Calls `changed` soon after another process has committed, until disposed of. Changes before do not count. What it
   * throws is thrown as from a timer, and keeps the change from nobody else.
   */
  subscribe(changed: () => void): Disposable {
    // Each its own, even if one function is given twice.
    const listener = () => changed();
    if (this.#listeners.size === 0) this.#begin();
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#end();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#end();
  }

  #begin(): void {
    this.#watchStore();
    this.#count = this.#countNow();
    this.#changedAt = this.#now();
    this.#keepPace();
  }

  #watchStore(): void {
    const { stateDirectory, database } = this.#store.layout;
    const name = basename(database);
    this.#watch = this.#watchIn(stateDirectory, (changed) => {
      if (changed.startsWith(name)) this.#reported();
    });
  }

  #ticked(): void {
    this.#look();
    const isQuiet = this.#now() - Math.max(this.#changedAt, this.#floodedAt) >= quietMs;
    if (this.#listeners.size > 0 && !this.#watch && isQuiet) {
      this.#watchStore();
      // What was written meanwhile is not reported.
      this.#look();
    }
    if (this.#listeners.size > 0) this.#keepPace();
  }

  // The watch may fail at any time.
  #keepPace(): void {
    const isRecent = this.#now() - this.#changedAt < busyMs;
    const pace = this.#watch?.isReliable ? "second" : isRecent ? "unwatched" : "beat";
    if (pace === this.#pace) return;
    this.#pace = pace;
    this.#ticking?.[Symbol.dispose]();
    this.#ticking = this.#clock.on(pace, () => this.#ticked());
  }

  #end(): void {
    this.#watch?.[Symbol.dispose]();
    this.#ticking?.[Symbol.dispose]();
    clearTimeout(this.#rest);
    clearTimeout(this.#settling);
    [this.#watch, this.#ticking, this.#rest, this.#settling] = [undefined, undefined, undefined, undefined];
    this.#pace = undefined;
  }

  #reported(): void {
    clearTimeout(this.#settling);
    if (this.#isFlood()) {
      this.#watch?.[Symbol.dispose]();
      this.#watch = undefined;
      this.#floodedAt = this.#now();
      this.#keepPace();
    } else this.#settling = setTimeout(() => this.#look(), settledMs);
    if (this.#rest) return;
    const leftMs = this.#restsUntil - this.#now();
    if (leftMs <= 0) this.#look();
    else this.#rest = setTimeout(() => this.#look(), leftMs);
  }

  #isFlood(): boolean {
    const now = this.#now();
    if (now - this.#reports.since >= 1_000) this.#reports = { since: now, count: 0 };
    return ++this.#reports.count > mostReports;
  }

  #look(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    const count = this.#countNow();
    const isSame = count !== undefined && count === this.#count;
    this.#restsUntil = this.#now() + (isSame ? restMs.unchanged : restMs.changed);
    if (isSame) return;
    this.#count = count;
    this.#changedAt = this.#now();
    this.#keepPace();
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) byItself(listener);
  }

  // Undefined if the store cannot be read now. Then everybody looks, and sees why.
  #countNow(): number | undefined {
    try {
      return this.#store.changeCount();
    } catch {
      return undefined;
    }
  }
}
