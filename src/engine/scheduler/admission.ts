// Which task may start, and when: one at a time passes all checks, gets its slot, and then the right to start.
import type { SessionOptions } from "../../model/options.ts";
import { isPausedFor } from "../../model/sample.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import { awaitsCost, awaitsStart, isLongWait, type WaitReason } from "../../model/wait-reason.ts";
import { clock } from "../../platform/clock.ts";
import type { Hold } from "../../store/holds.ts";
import type { Layout } from "../../store/layout.ts";
import type { TaskHolds } from "../account/account-holds.ts";
import { isOfSome } from "../account/hold.ts";
import { longestStartMs, type SessionHost } from "../attempt/session-host.ts";
import type { SessionPool } from "../attempt/session-pool.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import { budgetVerdict } from "./budget.ts";
import type { LoginProof } from "./login-proof.ts";
import { isRetryDue } from "./retry.ts";
import type { PlacedSlot, Slot, Slots, StartRights } from "./slots.ts";
import { type SpentSince, spendLimitWait } from "./spend-limit.ts";
import type { StartBackoff } from "./start-backoff.ts";
import { SystemResources } from "./system-resources.ts";

/** Shorter waits are not reported, in milliseconds. */
const reportAfterMs = 2_000;
/** What an admitted task has, until it is disposed of: a slot, and the right to start, or a session that has started. */
export interface Admitted extends Disposable {
  /** Whether it may start a session. Otherwise, one was set aside for it. */
  readonly mayStart: boolean;
  /** The machine on which it has its slot; undefined for this one. */
  readonly place: string | undefined;
  /** The session has begun, so another one may start while this one runs. */
  begun(): void;
  /** Gives the slot back at once: the session is being ended, because fewer may run than do. */
  giveBack(): void;
  /** Resolves when the task may start another session in its slot; with false if it is not due any more, or not now. */
  startAgain(): Promise<boolean>;
}

/** Why no machine can start a session now. */
export interface Closed {
  /** The same for all tasks. */
  because: string;
  /** Whether that may last, so that it need not be looked at often. */
  isLong: boolean;
}

interface AdmissionParts {
  state: () => BatchState;
  layout: Layout;
  /** When a task may be retried, on the monotonic clock, if this runner knows. */
  dueAt(number: number): number | undefined;
  slots: Slots;
  /** Whether another machine may run a task that waits here for long: then its wait for a slot is reported in any case. */
  mayGoElsewhere?: boolean;
  /** The rights to start a session: as many at the same time as there are processors. */
  starts: StartRights;
  startBackoff: StartBackoff;
  holds: Pick<TaskHolds, "stopping" | "claim" | "release">;
  login: Pick<LoginProof, "ended">;
  host: Pick<SessionHost, "whyWait">;
  /** Why none of the machines on which a task may run can start it now, in words for people. Absent on this machine alone. */
  whyClosed?(number: number): Closed | undefined;
  /** The same for tasks that may run on the same machines: only those wait for one another. Absent on this machine alone. */
  laneOf?(number: number): string;
  /** Sessions that have started without a task: who gets one needs no right to start, and no more memory. */
  pool: Pick<SessionPool, "has" | "reserve" | "patienceMs" | "release">;
  /** Reports why currently no sessions start; `undefined` if they start again. */
  report(reason: WaitReason | undefined): void;
  /** What all batches have cost since a time: asked only if the operator has set budgets. */
  spentSince: SpentSince;
  /** The budget is spent: cancels what is queued. */
  budgetSpent(): void;
  /** Called if no session could start for too long: ends queued tasks. */
  giveUpStarting(because: string): void;
}

/** What a check found. */
interface Found extends WaitReason {
  /** Whether to report it at once, not only if it lasts. */
  isReportedAtOnce: boolean;
  /** What it says of machines: others may start sessions meanwhile. */
  closed?: Closed;
}

/** How a task waits for its checks. */
interface Waiting {
  lane: string;
  /** On the monotonic clock, in milliseconds. */
  since: number;
  isReported: boolean;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #resources: SystemResources;
  /** The last turn of each lane. */
  readonly #turns = new Map<string, Promise<void>>();
  /** The lane whose reason is shown: two that took turns would wake each other without end. */
  #shownBy: string | undefined;
  /** Those that have their slot. */
  readonly #admitted = new Set<number>();
  /** Those that wait for their turn, in order. */
  readonly #waiting = new Set<number>();

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#resources = new SystemResources(parts.layout.stateDirectory);
  }

  /** Resolves when the task may start; with undefined if it is not due any more, or not now. */
  async admit(number: number): Promise<Admitted | undefined> {
    const lane = this.#parts.laneOf?.(number) ?? "";
    const before = this.#turns.get(lane);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns.set(lane, promise);
    this.#waiting.add(number);
    await before;
    try {
      return await this.#admitInTurn(number, lane);
    } finally {
      if (this.#shownBy === lane) this.#shownBy = undefined;
      this.#waiting.delete(number);
      resolve();
    }
  }

  /** The tasks that wait to be admitted, in the order in which they will be. */
  get waiting(): Iterable<number> {
    return this.#waiting;
  }

  /** Whether a task could start now, but for a slot and what its session needs of the machine. */
  couldStart(number: number): boolean {
    const { startBackoff, state } = this.#parts;
    const now = state();
    return (
      this.#isOpen(number) &&
      this.#holdOf(number) === undefined &&
      startBackoff.waitReason() === undefined &&
      this.#resources.lack(now.counts.running) === undefined &&
      this.#spendWait(now) === undefined &&
      budgetVerdict(now, this.#startedCount(now)) === "go"
    );
  }

  // Whether it is due, and a machine may start it.
  #isOpen(number: number): boolean {
    return this.isDue(number) && this.#parts.whyClosed?.(number) === undefined;
  }

  /** Whether a task is queued in a batch that nobody has paused, its time has come, and no hold of only some models stops it. */
  isDue(number: number): boolean {
    const state = this.#parts.state();
    const task = taskOf(state, number);
    if (task.status !== "queued" || isPausedFor(state, number)) return false;
    const time = { notBefore: task.notBefore, dueAt: this.#parts.dueAt(number) };
    if (!isRetryDue(time, Date.now(), performance.now())) return false;
    return this.#holdOfSome(number) === undefined;
  }

  /** Reports a task's hold if it affects only some models; other tasks may continue meanwhile. */
  reportHold(number: number): boolean {
    const hold = this.#holdOfSome(number);
    if (hold && this.#shownBy === undefined) this.#parts.report({ because: hold.because, until: hold.until });
    return hold !== undefined;
  }

  /** Whether a hold of only some models stops a task for long. */
  waitsLong(number: number): boolean {
    return isLongWait(this.#holdOfSome(number));
  }

  #report(lane: string, reason: WaitReason | undefined): void {
    if (this.#shownBy !== undefined && this.#shownBy !== lane) return;
    this.#shownBy = reason && this.#parts.laneOf ? lane : undefined;
    this.#parts.report(reason);
  }

  // A hold of all models is waited for in the queue, where it stops everybody.
  #holdOfSome(number: number): Hold | undefined {
    const hold = this.#holdOf(number);
    return hold && isOfSome(hold) ? hold : undefined;
  }

  #holdOf(number: number): Hold | undefined {
    return this.#parts.holds.stopping(this.#options(number).model, Date.now(), number);
  }

  #options(number: number): SessionOptions {
    return optionsOf(this.#parts.state().batch, number);
  }

  async #admitInTurn(number: number, lane: string): Promise<Admitted | undefined> {
    const waiting: Waiting = { lane, since: performance.now(), isReported: false };
    while (await this.#waitForChecks(number, waiting)) {
      const slot = await this.#acquire(
        { number, lane },
        this.#parts.slots,
        "Waits for a slot: other batches of this account use all of them.",
      );
      const reserved = slot && (await this.#reserve(number));
      const right =
        slot && !reserved ? await this.#acquireStart({ number, lane }, { orReserved: true }) : undefined;
      // One that became free meanwhile is there sooner than one that has to start.
      const start = reserved ?? right ?? (slot && this.#parts.pool.reserve(number));
      // Everything may have changed while it waited.
      if (slot && start && this.isDue(number) && !this.#check(number, start) && this.#claim(number))
        return admitted(slot, start, {
          mayStart: right !== undefined,
          acquireStart: () => this.#acquireStart({ number, lane }),
          isDue: () => this.isDue(number),
          // Another session of the same kind takes the place of one that was counted.
          hasRoom: () => right !== undefined || this.#machineWait(number) === undefined,
          released: () => this.#release(number),
        });
      start?.[Symbol.dispose]();
      slot?.[Symbol.dispose]();
      waiting.since = performance.now();
    }
    return undefined;
  }

  // A session of the pool, for which it waits for a moment if one is about to be free.
  async #reserve(number: number): Promise<Disposable | undefined> {
    const { pool } = this.#parts;
    let reserved = pool.reserve(number);
    for (
      const since = performance.now();
      !reserved && this.#isOpen(number);
      reserved = pool.reserve(number)
    ) {
      if (performance.now() - since >= pool.patienceMs(number)) return undefined;
      await clock.next("soon");
    }
    return reserved;
  }

  // Waits until no check finds anything. False if the task is not due any more.
  async #waitForChecks(number: number, waiting: Waiting): Promise<boolean> {
    const { lane, since } = waiting;
    let found: Found | undefined;
    for (; this.isDue(number); await clock.next(isLong(found) ? "rest" : "beat")) {
      found = this.#check(number);
      if (!found) {
        this.#report(lane, undefined);
        return true;
      }
      waiting.isReported ||= found.isReportedAtOnce || performance.now() - since > reportAfterMs;
      const isOfOthers = found.closed !== undefined && this.#parts.state().counts.running > 0;
      if (isOfOthers) this.#report(lane, undefined);
      else if (waiting.isReported) this.#report(lane, found);
    }
    return false;
  }

  // In this order: what stops every task first. Undefined if the task may start. Queued tasks end here, too, once the
  // system has lacked something for too long, or the budget is spent.
  // `start`: what it has got already, on a machine that was open for it.
  #check(number: number, start?: Slot | PlacedSlot): Found | undefined {
    const { startBackoff, giveUpStarting } = this.#parts;
    const state = this.#parts.state();
    const lacking = this.#resources.lack(state.counts.running);
    if (lacking !== undefined) {
      if (startBackoff.lacked() === "give-up") giveUpStarting(lacking);
      return { because: lacking, isReportedAtOnce: true };
    }
    const failing = startBackoff.waitReason();
    if (failing) return { ...failing, isReportedAtOnce: false };
    const hold = this.#holdOf(number);
    if (hold) return { because: hold.because, until: hold.until, isReportedAtOnce: true };
    const overspent = this.#spendWait(state);
    if (overspent) return { ...overspent, isReportedAtOnce: overspent.until !== undefined };
    const closed = start ? undefined : this.#parts.whyClosed?.(number);
    if (closed) return { because: closed.because, isReportedAtOnce: closed.isLong, closed };
    const because = this.#budgetWait(state) ?? this.#machineWait(number);
    return because === undefined ? undefined : { because, isReportedAtOnce: false };
  }

  // A session that has started without a task needs nothing more of the machine, and makes room for one of another kind.
  #machineWait(number: number): string | undefined {
    const { state, host, pool } = this.#parts;
    const because = host.whyWait(footprintKey(state().batch, this.#options(number)));
    if (because === undefined || pool.has(number)) return undefined;
    pool.release();
    return because;
  }

  #spendWait(state: BatchState): WaitReason | undefined {
    const { dayUsd, monthUsd } = state.spendLimits;
    if (dayUsd === undefined && monthUsd === undefined) return undefined;
    const { spentSince } = this.#parts;
    return spendLimitWait(state, { spentSince, now: Date.now(), starting: this.#startedCount(state) });
  }

  // Those that have their slot, and are not in the log yet. They are counted only where a budget needs it.
  #startedCount(state: BatchState): number {
    const { budgetUsd, spendLimits } = state;
    if (budgetUsd === undefined && Object.keys(spendLimits).length === 0) return 0;
    return [...this.#admitted].filter((number) => taskOf(state, number).status === "queued").length;
  }

  #budgetWait(state: BatchState): string | undefined {
    if (state.budgetUsd === undefined) return undefined;
    const verdict = budgetVerdict(state, this.#startedCount(state));
    if (verdict === "go") return undefined;
    // That cancels this task, too, so it soon waits no longer.
    if (verdict === "spent") this.#parts.budgetSpent();
    return `${awaitsCost}: the batch has cost ${dollars(state.totalCostUsd)} of its budget of ${dollars(state.budgetUsd ?? 0)}, and the running sessions are expected to cost the rest.`;
  }

  // `orReserved`: no longer than until the pool has a session.
  #acquireStart(
    of: { number: number; lane: string },
    { orReserved = false } = {},
  ): Promise<Slot | PlacedSlot | undefined> {
    const { starts, pool } = this.#parts;
    return this.#acquire(of, starts, awaitsStart, () => !orReserved || !pool.has(of.number));
  }

  // While the task is due. Reports that others use what it waits for, because nothing else does, unless sessions of this batch run.
  async #acquire(
    { number, lane }: { number: number; lane: string },
    rights: StartRights,
    because: string,
    isNeeded = () => true,
  ): Promise<Slot | PlacedSlot | undefined> {
    const { state, slots, mayGoElsewhere = false } = this.#parts;
    const since = performance.now();
    // The right to start comes within seconds.
    const isToldAnyway = mayGoElsewhere && rights === slots;
    using _ticks = clock.on("beat", () => {
      const isLong = performance.now() - since > reportAfterMs;
      if (isLong && (isToldAnyway || state().counts.running === 0)) this.#report(lane, { because });
    });
    const right = await rights.acquire(() => this.#isOpen(number) && isNeeded(), number);
    this.#report(lane, undefined);
    return right;
  }

  // Makes the task the one that tries whatever has to be tried. False if that is a hold's probe, and another runner was
  // faster.
  #claim(number: number): boolean {
    const { holds, startBackoff } = this.#parts;
    if (!holds.claim(number, this.#options(number).model, Date.now())) return false;
    startBackoff.claim(number);
    this.#resources.started();
    this.#admitted.add(number);
    return true;
  }

  #release(number: number): void {
    const { holds, login, startBackoff } = this.#parts;
    this.#admitted.delete(number);
    login.ended(number);
    startBackoff.release(number);
    holds.release(number);
  }
}

function isLong(found: Found | undefined): boolean {
  return found?.closed?.isLong === true || isLongWait(found);
}

interface Means {
  /** Whether it has a right to start; otherwise, a session that was set aside. */
  mayStart: boolean;
  acquireStart(): Promise<Slot | PlacedSlot | undefined>;
  isDue(): boolean;
  /** Whether the machine has what another session needs. */
  hasRoom(): boolean;
  released(): void;
}

function admitted(
  slot: Slot,
  first: Slot | PlacedSlot,
  { mayStart: mayStartFirst, acquireStart, isDue, hasRoom, released }: Means,
): Admitted {
  let start: Disposable = mayStartFirst ? lasting(first) : first;
  let mayStart = mayStartFirst;
  let place = placeOf(first);
  return {
    get mayStart() {
      return mayStart;
    },
    get place() {
      return place;
    },
    begun: () => start[Symbol.dispose](),
    giveBack: () => slot[Symbol.dispose](),
    startAgain: async () => {
      start[Symbol.dispose]();
      const next = await acquireStart();
      if (next) start = lasting(next);
      if (next) place = placeOf(next);
      mayStart = next !== undefined;
      // A right that is free comes without a look at the task.
      if (isDue() && hasRoom()) return next !== undefined;
      start[Symbol.dispose]();
      return false;
    },
    [Symbol.dispose]: () => {
      released();
      start[Symbol.dispose]();
      slot[Symbol.dispose]();
    },
  };
}

function placeOf(slot: Slot | PlacedSlot): string | undefined {
  return "place" in slot ? slot.place : undefined;
}

// A right to start, for as long as a start may take. One on another machine lasts from when its session was started there.
function lasting(start: Slot | PlacedSlot): Disposable {
  if ("place" in start) return start;
  const timer = setTimeout(() => start[Symbol.dispose](), longestStartMs);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      start[Symbol.dispose]();
    },
  };
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`;
}
