// Wakes everybody in this process who waits for the store, when another process has written to it: one watch, and one look
// at the store, for all of them.
import { byItself, type Clock, monotonicMs, clock as ownClock, Pace } from "../platform/clock.ts";
import { basename } from "../platform/paths.ts";
import { type Watch, watchDirectory } from "../platform/watch.ts";
import type { Store } from "./store.ts";

/**
 * For how long after a write the store is looked at every 40 ms, and not watched, in milliseconds. Writes come in bursts,
 * and each report of a watch costs more than a look. It also finds what was reported too early: SQLite writes a commit
 * into its log before it counts.
 */
const busyMs = 500;

/** The same after a write that ends a quiet time, until the next one: most are alone, as a runner's heartbeat is. */
const aloneMs = 100;

/** After how long without a write a reliable watch is hardly doubted, and a single write seems to stay alone, in milliseconds. */
const settledMs = 2_000;

/** After how long without a write nobody minds a second more where no watch is reliable, in milliseconds. */
const longQuietMs = 10_000;

type Watched = Pick<Store, "layout" | "changeCount">;

/** How a change is heard of. */
interface Manner {
  /** Whether a quarter of a second later is soon enough, as for a view that draws no oftener. */
  isPatient?: boolean;
}

interface Means {
  clock: Pick<Clock, "on">;
  watch: typeof watchDirectory;
  /** On the monotonic clock, in milliseconds. */
  now: () => number;
}

export class StoreChanges implements Disposable {
  readonly #store: Watched;
  readonly #means: Means;
  readonly #listeners = new Map<() => void, Manner>();
  /** The store's at the last look. Undefined if it could not be read then. */
  #count: number | undefined;
  /** The last sign of a write, or the beginning, on the monotonic clock. */
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** When the last change was seen, on the monotonic clock. */
  #changedAt = Number.NEGATIVE_INFINITY;
  /** Until when the store counts as busy, on the monotonic clock. */
  #busyUntil = Number.NEGATIVE_INFINITY;
  /** For how long after the last write more of them are likely, in milliseconds. */
  #livelyMs = longQuietMs;
  /** None while the store is busy. */
  #watch: Watch | undefined;
  readonly #pace: Pace;

  constructor(store: Watched, means: Partial<Means> = {}) {
    this.#store = store;
    this.#means = { clock: ownClock, watch: watchDirectory, now: monotonicMs, ...means };
    this.#pace = new Pace(() => this.#ticked(), { clock: this.#means.clock });
  }

  /**
   * Calls `changed` soon after another process has committed, until disposed of; also once the store cannot be read, and
   * once it can again. Changes before do not count, or may if others wait already. What it throws is thrown as from a timer, and keeps the change from
   * nobody else.
   */
  subscribe(changed: () => void, manner: Manner = {}): Disposable {
    // Each its own, even if one function is given twice.
    const listener = () => changed();
    this.#listeners.set(listener, manner);
    if (this.#listeners.size === 1) this.#begin();
    else this.#keepManner();
    return {
      [Symbol.dispose]: () => {
        if (!this.#listeners.delete(listener)) return;
        if (this.#listeners.size === 0) this.#end();
        else this.#keepManner();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#end();
  }

  #begin(): void {
    this.#count = this.#countNow();
    // A call that waits has often just started what will write.
    this.#livelyMs = longQuietMs;
    this.#written(busyMs);
  }

  #end(): void {
    this.#unwatch();
    this.#pace[Symbol.dispose]();
  }

  #ticked(): void {
    // First, so that a watch that begins now reports most of what this look does not see. The next tick finds the rest.
    this.#keepPace();
    this.#look();
  }

  // Perhaps of this process itself.
  #reported(): void {
    this.#written(aloneMs);
    this.#look();
  }

  #look(): void {
    const count = this.#countNow();
    if (count === this.#count) return;
    this.#count = count;
    const now = this.#means.now();
    const isBurst = now - this.#changedAt < busyMs;
    this.#changedAt = now;
    this.#livelyMs = isBurst ? longQuietMs : settledMs;
    this.#written(isBurst ? busyMs : aloneMs);
    for (const listener of [...this.#listeners.keys()]) if (this.#listeners.has(listener)) byItself(listener);
  }

  // `forMs`: for how long the next write is expected.
  #written(forMs: number): void {
    this.#writtenAt = this.#means.now();
    this.#busyUntil = Math.max(this.#busyUntil, this.#writtenAt + forMs);
    this.#keepPace();
  }

  #keepPace(): void {
    const now = this.#means.now();
    const quietMs = now - this.#writtenAt;
    if (now < this.#busyUntil) {
      this.#unwatch();
      this.#keepManner();
      return;
    }
    this.#watch ??= this.#watchStore();
    // A watch may fail at any time.
    if (this.#watch.isReliable) this.#pace.at(quietMs >= settledMs ? "rest" : "second");
    else this.#pace.at(quietMs >= this.#livelyMs ? "second" : "beat");
  }

  // Somebody has come or gone. Only the next tick may begin a watch, because it looks at the store behind that: otherwise, what was
  // written since the last look would wake nobody until much later.
  #keepManner(): void {
    if (this.#watch) return;
    const isPatient = [...this.#listeners.values()].every((manner) => manner.isPatient);
    this.#pace.at(isPatient ? "beat" : "unwatched");
  }

  #watchStore(): Watch {
    const { stateDirectory, database } = this.#store.layout;
    const name = basename(database);
    return this.#means.watch(stateDirectory, (changed) => {
      if (changed.startsWith(name)) this.#reported();
    });
  }

  #unwatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #countNow(): number | undefined {
    try {
      return this.#store.changeCount();
    } catch {
      // Those who are woken read the store, and see why.
      return undefined;
    }
  }
}
