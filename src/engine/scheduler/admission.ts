// Which task may start, and when: one at a time passes all checks, gets its slot, and then the right to start.
import type { SessionOptions } from "../../model/options.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import { awaitsCost, awaitsStart, isLongWait, type WaitReason } from "../../model/wait-reason.ts";
import { clock } from "../../platform/clock.ts";
import type { Hold } from "../../store/holds.ts";
import type { Layout } from "../../store/layout.ts";
import type { AccountHolds } from "../account/account-holds.ts";
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
  /** The session is ready, so another one may start while this one runs. */
  ready(): void;
  /** Gives the slot back at once: the session is being ended, because fewer may run than do. */
  giveBack(): void;
  /** Resolves when the task may start another session in its slot; with false if it is not due any more, or not now. */
  startAgain(): Promise<boolean>;
}

/** A machine that cannot start a session now. */
export interface Closed {
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
  /** The rights to start a session: as many at the same time as there are processors. */
  starts: StartRights;
  startBackoff: StartBackoff;
  holds: Pick<AccountHolds, "stopping" | "claim" | "release">;
  login: Pick<LoginProof, "ended">;
  host: Pick<SessionHost, "whyWait">;
  /** Why the only machine on which a task may run cannot start it now, in words for people. Absent on this machine alone. */
  whyClosed?(number: number): Closed | undefined;
  /** Sessions that have started without a task: who gets one needs no right to start, and no more memory. */
  pool: Pick<SessionPool, "has" | "reserve" | "release">;
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
}

/** How a task waits for its checks. */
interface Waiting {
  /** On the monotonic clock, in milliseconds. */
  since: number;
  isReported: boolean;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #resources: SystemResources;
  #turn: Promise<void> = Promise.resolve();
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
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    this.#waiting.add(number);
    await before;
    try {
      return await this.#admitInTurn(number);
    } finally {
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
      this.isDue(number) &&
      this.#holdOf(number) === undefined &&
      startBackoff.waitReason() === undefined &&
      this.#resources.lack(now.counts.running) === undefined &&
      this.#spendWait(now) === undefined &&
      budgetVerdict(now, this.#startedCount(now)) === "go"
    );
  }

  /** Whether a task is queued, its time has come, and neither a hold of only some models nor its own machine stops it. */
  isDue(number: number): boolean {
    return this.#isWanted(number) && this.#parts.whyClosed?.(number) === undefined;
  }

  #isWanted(number: number): boolean {
    const task = taskOf(this.#parts.state(), number);
    if (task.status !== "queued") return false;
    const time = { notBefore: task.notBefore, dueAt: this.#parts.dueAt(number) };
    if (!isRetryDue(time, Date.now(), performance.now())) return false;
    return this.#holdOfSome(number) === undefined;
  }

  /** Reports a task's hold if it affects only some models, or its machine; other tasks may continue meanwhile. */
  reportHold(number: number): boolean {
    const hold = this.#holdOfSome(number);
    if (hold) this.#parts.report({ because: hold.because, until: hold.until });
    const closed = hold ? undefined : this.#parts.whyClosed?.(number);
    if (closed) this.#parts.report({ because: closed.because });
    return hold !== undefined || closed !== undefined;
  }

  /** Whether a hold of only some models, or its machine, stops a task for long. */
  waitsLong(number: number): boolean {
    return isLongWait(this.#holdOfSome(number)) || this.#parts.whyClosed?.(number)?.isLong === true;
  }

  // A hold of all models is waited for in the queue, where it stops everybody.
  #holdOfSome(number: number): Hold | undefined {
    const hold = this.#holdOf(number);
    return hold && isOfSome(hold) ? hold : undefined;
  }

  #holdOf(number: number): Hold | undefined {
    return this.#parts.holds.stopping(this.#options(number).model, Date.now());
  }

  #options(number: number): SessionOptions {
    return optionsOf(this.#parts.state().batch, number);
  }

  async #admitInTurn(number: number): Promise<Admitted | undefined> {
    const waiting: Waiting = { since: performance.now(), isReported: false };
    while (await this.#waitForChecks(number, waiting)) {
      const slot = await this.#acquire(
        number,
        this.#parts.slots,
        "Waits for a slot: other batches of this account use all of them.",
      );
      const reserved = slot && this.#parts.pool.reserve(number);
      const start = reserved ?? (slot && (await this.#acquireStart(number)));
      // Everything may have changed while it waited.
      if (slot && start && this.#isWanted(number) && !this.#check(number) && this.#claim(number))
        return admitted(slot, start, {
          mayStart: reserved === undefined,
          acquireStart: () => this.#acquireStart(number),
          isDue: () => this.#isWanted(number),
          // Another session of the same kind takes the place of one that was counted.
          hasRoom: () => reserved === undefined || this.#machineWait(number) === undefined,
          released: () => this.#release(number),
        });
      start?.[Symbol.dispose]();
      slot?.[Symbol.dispose]();
      waiting.since = performance.now();
    }
    return undefined;
  }

  // Waits until no check finds anything. False if the task is not due any more.
  async #waitForChecks(number: number, waiting: Waiting): Promise<boolean> {
    let found: Found | undefined;
    for (; this.isDue(number); await clock.next(isLongWait(found) ? "rest" : "beat")) {
      found = this.#check(number);
      if (!found) {
        this.#parts.report(undefined);
        return true;
      }
      waiting.isReported ||= found.isReportedAtOnce || performance.now() - waiting.since > reportAfterMs;
      if (waiting.isReported) this.#parts.report(found);
    }
    return false;
  }

  // In this order: what stops every task first. Undefined if the task may start. Queued tasks end here, too, once the
  // system has lacked something for too long, or the budget is spent.
  #check(number: number): Found | undefined {
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

  #acquireStart(number: number): Promise<Slot | PlacedSlot | undefined> {
    return this.#acquire(number, this.#parts.starts, awaitsStart);
  }

  // While the task is due. Reports that others use what it waits for, because nothing else does.
  async #acquire(
    number: number,
    rights: StartRights,
    because: string,
  ): Promise<Slot | PlacedSlot | undefined> {
    const { state, report } = this.#parts;
    const since = performance.now();
    using _ticks = clock.on("beat", () => {
      const isLong = performance.now() - since > reportAfterMs;
      if (isLong && state().counts.running === 0) report({ because });
    });
    const right = await rights.acquire(() => this.isDue(number), number);
    report(undefined);
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
    ready: () => start[Symbol.dispose](),
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
