// Who may start, and when: one task at a time passes disk, holds, login, budget and memory, gets its slot, and then the
// right to start.
import type { SessionOptions } from "../../model/options.ts";
import type { Standstill } from "../../model/standstill.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import type { Hold } from "../../store/holds.ts";
import type { Layout } from "../../store/layout.ts";
import type { AccountHolds } from "../account/account-holds.ts";
import { isOfSome } from "../account/hold.ts";
import type { SessionHost } from "../attempt/session-host.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import { budgetVerdict } from "./budget.ts";
import { lackOfRoom } from "./disk-space.ts";
import type { LoginProof } from "./login-proof.ts";
import { isRetryDue } from "./retry.ts";
import type { Slot, Slots } from "./slots.ts";
import type { StartHold } from "./start-hold.ts";

/** How often a waiting task checks again, in milliseconds. */
export const lookMs = 250;
/** Shorter waits are not reported, in milliseconds. */
const tellAfterMs = 2_000;

/** What an admitted task has. */
export interface Admitted extends Disposable {
  /** The session has begun, so another one may start while this one runs. */
  begun(): void;
}

interface AdmissionPlan {
  state: () => BatchState;
  layout: Layout;
  /** When a task may be retried, on the monotonic clock, if this runner knows. */
  dueAt(number: number): number | undefined;
  slots: Slots;
  /** The rights to start a session: as many at the same time as there are processors. */
  starts: Slots;
  startHold: StartHold;
  holds: AccountHolds;
  login: LoginProof;
  host: Pick<SessionHost, "capacity">;
  /** Reports why currently no sessions start; `undefined` if they start again. */
  hold(standstill: Standstill | undefined): void;
  /** The budget is spent: cancels what is queued. */
  budgetSpent(): void;
  /** Called if no session could start for too long: ends queued tasks. */
  giveUpStarting(because: string): void;
}

interface Hindrance extends Standstill {
  /** Whether to report it at once, not only if it lasts. */
  tell: boolean;
}

export class Admission {
  readonly #plan: AdmissionPlan;
  #turn: Promise<void> = Promise.resolve();

  constructor(plan: AdmissionPlan) {
    this.#plan = plan;
  }

  /** Resolves when the task may start; with undefined if it is not due any more, or not now. */
  async admit(number: number): Promise<Admitted | undefined> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      return await this.#admitted(number);
    } finally {
      resolve();
    }
  }

  /** Whether a task is queued, its time has come, and no hold of only some models stops it. */
  isDue(number: number): boolean {
    const task = taskOf(this.#plan.state(), number);
    const now = Date.now();
    if (task.status !== "queued") return false;
    const time = { notBefore: task.notBefore, dueAt: this.#plan.dueAt(number) };
    if (!isRetryDue(time, now, performance.now())) return false;
    return this.#holdOfSome(number) === undefined;
  }

  /** Reports a task's hold if it affects only some models; other tasks may continue meanwhile. */
  tellHold(number: number): boolean {
    const hold = this.#holdOfSome(number);
    if (hold) this.#plan.hold({ because: hold.because, until: hold.until });
    return hold !== undefined;
  }

  // A hold of all models is waited for in the queue, where it stops everybody.
  #holdOfSome(number: number): Hold | undefined {
    const hold = this.#plan.holds.stopping(this.#options(number).model, Date.now());
    return hold && isOfSome(hold) ? hold : undefined;
  }

  async #admitted(number: number): Promise<Admitted | undefined> {
    const { slots, starts } = this.#plan;
    let told = false;
    for (let since = performance.now(); this.isDue(number); ) {
      const hindrance = this.#hindrance(number);
      if (hindrance) {
        told ||= hindrance.tell || performance.now() - since > tellAfterMs;
        if (told) this.#plan.hold(hindrance);
        await Bun.sleep(lookMs);
        continue;
      }
      this.#plan.hold(undefined);
      const slot = await this.#patiently(
        number,
        slots,
        "Waits for a slot: other batches of this account use all of them.",
      );
      const start = slot && (await this.#patiently(number, starts, "Waits for its turn to start."));
      // Everything may have changed while it waited.
      if (slot && start && this.isDue(number) && !this.#hindrance(number) && this.#claims(number))
        return admitted(slot, start, () => this.#leave(number));
      start?.[Symbol.dispose]();
      slot?.[Symbol.dispose]();
      since = performance.now();
    }
    return undefined;
  }

  // While the task is due. Reports that others use what it waits for, because nothing else does.
  async #patiently(number: number, rights: Slots, because: string): Promise<Slot | undefined> {
    const timer = setInterval(() => {
      if (this.#plan.state().counts.running === 0) this.#plan.hold({ because });
    }, tellAfterMs);
    const right = await rights.acquire(() => this.isDue(number));
    clearInterval(timer);
    this.#plan.hold(undefined);
    return right;
  }

  #claims(number: number): boolean {
    if (!this.#plan.holds.claim(number, this.#options(number).model, Date.now())) return false;
    this.#plan.login.began(number);
    this.#plan.startHold.claim(number);
    return true;
  }

  #leave(number: number): void {
    this.#plan.login.ended(number);
    this.#plan.startHold.release(number);
    this.#plan.holds.release(number);
  }

  #hindrance(number: number): Hindrance | undefined {
    const state = this.#plan.state();
    const room = lackOfRoom(this.#plan.layout.stateDirectory, state.counts.running);
    if (room !== undefined) {
      if (this.#plan.startHold.lacks() === "give-up") this.#plan.giveUpStarting(room);
      return { because: room, tell: true };
    }
    const unstartable = this.#plan.startHold.hindrance();
    if (unstartable) return { ...unstartable, tell: false };
    const options = this.#options(number);
    const hold = this.#plan.holds.stopping(options.model, Date.now());
    if (hold) return { because: hold.because, until: hold.until, tell: true };
    const login = this.#plan.login.hindrance();
    if (login !== undefined) return { because: login, tell: false };
    const budget = this.#budgetHindrance(state);
    if (budget !== undefined) return { because: budget, tell: false };
    const memory = this.#plan.host.capacity(footprintKey(state.batch, options));
    return memory === undefined ? undefined : { because: memory, tell: false };
  }

  #budgetHindrance(state: BatchState): string | undefined {
    const verdict = budgetVerdict(state);
    if (verdict === "go") return undefined;
    if (verdict === "spent") this.#plan.budgetSpent();
    return `Waits for running sessions: the batch has cost ${dollars(state.totalCostUsd)} of its budget of ${dollars(state.budgetUsd ?? 0)}, and the running sessions are expected to cost the rest.`;
  }

  #options(number: number): SessionOptions {
    return optionsOf(this.#plan.state().batch, number);
  }
}

/**
 * A start takes about a second of a processor. After this time, in milliseconds, one that hangs no longer stops the
 * others.
 */
const longestStartMs = 15_000;

function admitted(slot: Slot, start: Slot, ended: () => void): Admitted {
  const timer = setTimeout(() => start[Symbol.dispose](), longestStartMs);
  return {
    begun: () => start[Symbol.dispose](),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      ended();
      start[Symbol.dispose]();
      slot[Symbol.dispose]();
    },
  };
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`;
}
