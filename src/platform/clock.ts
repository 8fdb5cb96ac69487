// The clock of a process: whatever has to poll, because no event wakes it, polls on the clock's ticks. Polls that are due
// at the same moment share one timer, since each wake-up costs more than most polls.

/** How often something polls, in milliseconds, and why no event wakes it. */
interface Rhythm {
  everyMs: number;
  /** What looks, for people. */
  looks: string;
  why: string;
}

/**
 * All rhythms of the program. Each divides a longer one or is divided by it, so that their ticks coincide. A limit of
 * time, such as a timeout or a pause before another try, is no rhythm, and stays beside what it limits.
 */
export const rhythms = {
  unwatched: {
    everyMs: 40,
    looks:
      "`logs -f` at a transcript that grows; a waiting call at a store that was written to within half a second; `doctor` at a transcript, without a reliable watch",
    why: "macOS reports a file that stays open only when it is closed, Windows when it likes, and a user may have no watches left; and where much is written, each report of a watch costs more than a look",
  },
  handover: {
    everyMs: 50,
    looks:
      "a runner or keeper at whether its predecessor has gone; everybody who needs the store, at its lock",
    why: "SQLite does not say when a lock is released; all this takes moments, and somebody waits for it",
  },
  soon: {
    everyMs: 100,
    looks: "a runner at slots that other runners have; a live view at the keys that were pressed",
    why: "a slot passes through the store, which does not say whose turn it is; a terminal that is only looked at takes no line from what comes next",
  },
  beat: {
    everyMs: 250,
    looks:
      "a runner at its sessions' clocks, leash, keeper, memory and processors, and at whether the next task may start; a waiting call at a quiet store, without a reliable watch; a view at a store that was written to within half a second",
    why: "time that is over, memory that is used and processes of others wake nobody; a view draws no oftener",
  },
  second: {
    everyMs: 1_000,
    looks:
      "what `rest` has, as long as something has just happened; a keeper at a runner that it did not start; a live view at its times; everybody at a store that has been quiet for ten seconds, without a reliable watch; `run-task` at the claim of another one, for which it waits",
    why: "only the parent of a process hears of its end; a network file system reports no change of another machine; a watch of Bun 1.4 may drop a change",
  },
  rest: {
    everyMs: 5_000,
    looks:
      "where nothing has happened for some seconds: a waiting call at the processes of its batch; a server at what it should announce; a runner whose tasks all wait for a limit; everybody at what a watch may have missed",
    why: "the same as for `second`, but a wait of an hour must not cost a processor anything",
  },
  heartbeat: {
    everyMs: 10_000,
    looks:
      "a server at what it last reported to a waiting client; `run-task` at its claim of a result file, to which it gives a sign of life",
    why: "a client that hears nothing for long takes the call for dead, and another machine the task",
  },
} as const satisfies Record<string, Rhythm>;
export type RhythmName = keyof typeof rhythms;

interface Looker {
  look(): void;
  keepsAlive: boolean;
}

/** Everything with the same rhythm. */
interface Turn {
  /** Its next moment, on the monotonic clock. */
  dueAt: number;
  lookers: Set<Looker>;
}

interface Manner {
  /** Whether the process stays for it. */
  keepsAlive?: boolean;
}

/** One for each process, except in tests. */
export class Clock {
  readonly #turns = new Map<RhythmName, Turn>();
  readonly #next = new Map<RhythmName, Promise<void>>();
  #timer: Timer | undefined;
  /** The moment for which the timer is set. */
  #setFor = Number.POSITIVE_INFINITY;
  /** How many lookers keep the process alive. */
  #keeping = 0;

  /**
   * Calls `look` on every tick of a rhythm, until disposed of. The first tick comes after at most `everyMs`, at the same
   * moment as for everything else with this rhythm. What `look` throws is thrown as from a timer, and stops nobody else.
   */
  on(rhythm: RhythmName, look: () => void, { keepsAlive = true }: Manner = {}): Disposable {
    const looker: Looker = { look, keepsAlive };
    const turn = this.#turns.get(rhythm) ?? {
      dueAt: nextMomentOf(rhythm, monotonicMs()),
      lookers: new Set(),
    };
    this.#turns.set(rhythm, turn);
    turn.lookers.add(looker);
    this.#keep(keepsAlive ? 1 : 0);
    return {
      [Symbol.dispose]: () => {
        if (!turn.lookers.delete(looker)) return;
        if (turn.lookers.size === 0) this.#turns.delete(rhythm);
        this.#keep(keepsAlive ? -1 : 0);
      },
    };
  }

  /** The next tick of a rhythm, the same for everybody. */
  next(rhythm: RhythmName): Promise<void> {
    const known = this.#next.get(rhythm);
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#next.set(rhythm, promise);
    const once = this.on(rhythm, () => {
      once[Symbol.dispose]();
      this.#next.delete(rhythm);
      resolve();
    });
    return promise;
  }

  /** Lets a rhythm's next tick come at once: something has happened that those should see who look so rarely. */
  soon(rhythm: RhythmName): void {
    const turn = this.#turns.get(rhythm);
    if (!turn) return;
    turn.dueAt = monotonicMs();
    this.#setTimer();
  }

  #tick(): void {
    this.#setFor = Number.POSITIVE_INFINITY;
    // A timer may be a fraction of a millisecond early.
    const now = monotonicMs() + 1;
    const due = [...this.#turns].filter(([, { dueAt }]) => dueAt <= now);
    for (const [rhythm, turn] of due) turn.dueAt = nextMomentOf(rhythm, now);
    this.#setTimer();
    for (const [, { lookers }] of due) for (const looker of [...lookers]) lookNow(lookers, looker);
  }

  #keep(change: number): void {
    this.#keeping += change;
    this.#setTimer();
  }

  #setTimer(): void {
    const moment = Math.min(...[...this.#turns.values()].map(({ dueAt }) => dueAt));
    if (moment !== this.#setFor) {
      clearTimeout(this.#timer);
      this.#setFor = moment;
      const waitMs = Math.max(0, Math.ceil(moment - monotonicMs()));
      this.#timer = Number.isFinite(moment) ? setTimeout(() => this.#tick(), waitMs) : undefined;
    }
    if (this.#keeping > 0) this.#timer?.ref();
    else this.#timer?.unref();
  }
}

function lookNow(lookers: ReadonlySet<Looker>, looker: Looker): void {
  // One before it may have disposed of it.
  if (lookers.has(looker)) byItself(() => looker.look());
}

/** Calls one of several. What it throws is thrown as from a timer of its own, so that the others are called, too. */
export function byItself(act: () => void): void {
  try {
    act();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** The clock of this process. */
export const clock = new Clock();

/** Ticks for one who looks sometimes more often, sometimes less: from `at` on, in another rhythm. */
export class Pace implements Disposable {
  readonly #look: () => void;
  readonly #clock: Pick<Clock, "on">;
  readonly #manner: Manner;
  #ticks: ({ rhythm: RhythmName } & Disposable) | undefined;

  constructor(look: () => void, given: { clock?: Pick<Clock, "on">; manner?: Manner } = {}) {
    this.#look = look;
    this.#clock = given.clock ?? clock;
    this.#manner = given.manner ?? {};
  }

  /** Looks in this rhythm from now on. */
  at(rhythm: RhythmName): void {
    if (this.#ticks?.rhythm === rhythm) return;
    this.#ticks?.[Symbol.dispose]();
    this.#ticks = { rhythm, ...this.#clock.on(rhythm, () => this.#look(), this.#manner) };
  }

  [Symbol.dispose](): void {
    this.#ticks?.[Symbol.dispose]();
    this.#ticks = undefined;
  }
}

/** Milliseconds on a clock that nobody sets. It stops while the machine sleeps. */
export function monotonicMs(): number {
  return Bun.nanoseconds() / 1e6;
}

// On a grid, so that what began at different times looks together.
function nextMomentOf(rhythm: RhythmName, now: number): number {
  const { everyMs } = rhythms[rhythm];
  return (Math.floor(now / everyMs) + 1) * everyMs;
}

/** Something to wait for: woken by whatever calls `now`, or when a time is over. */
export class Wake {
  #woken = Promise.withResolvers<void>();

  /** Ends the current wait, or else the next one. */
  readonly now = (): void => this.#woken.resolve();

  /** Waits until woken, at most for a time in milliseconds. */
  async within(mostMs: number): Promise<void> {
    await settledWithin(this.#woken.promise, mostMs);
    this.#woken = Promise.withResolvers();
  }
}

/** The longest time that a timer takes, in milliseconds: after a longer one, it would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Waits for a promise, at most for a time in milliseconds. Returns whether it is fulfilled; throws if it is rejected. */
export async function settledWithin(promise: Promise<unknown>, mostMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = mostMs < longestTimerMs ? setTimeout(() => resolve(false), mostMs) : undefined;
  try {
    return await Promise.race([late, promise.then(() => true)]);
  } finally {
    clearTimeout(timer);
  }
}
