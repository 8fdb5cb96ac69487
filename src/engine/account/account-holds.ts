// The holds of an account as one runner sees them: which tasks they stop, and which session probes them.
import { type AttemptOutcome, isThrottled } from "../../model/outcome.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { type Hold, type HoldName, isDue, isSame } from "../../store/holds.ts";
import type { SharedHolds } from "../shared/shared-store.ts";
import { asksForPerson, concerns, holdFor, needsPerson, untilAfterThrottle } from "./hold.ts";

/** How a session ended, as far as holds are concerned. */
export interface Ended {
  number: number;
  model: string | undefined;
  outcome: AttemptOutcome;
}

export type HoldVerdict =
  | { kind: "goes-on" }
  /** The task waits with all others. */
  | { kind: "held" }
  /** Patience has run out: cancels queued tasks that the hold affects. */
  | {
      kind: "given-up";
      hold: HoldName;
      /** Whether it affects a task at all, beside its model. Absent: it does. */
      affects?(task: number): boolean;
    };

/** How long to wait if no end is known. */
export interface Patience {
  patienceMs: number;
  /** Whether somebody is there to log in or pay. If not, a hold that needs a person is not waited for. */
  isAttended: boolean;
}

/** The holds as tasks meet them: of one account, or of a machine for each. */
export type TaskHolds = Pick<
  AccountHolds,
  | "refresh"
  | "mayStart"
  | "allows"
  | "claim"
  | "adopt"
  | "answered"
  | "refused"
  | "failed"
  | "ended"
  | "release"
> & {
  /** What stops a task with this model; undefined if it may start, even if only as a probe. */
  stopping(model: string | undefined, now: number, task: number): Hold | undefined;
};

export class AccountHolds {
  readonly #holds: SharedHolds;
  readonly #holder: ProcessIdentity;
  #known: Hold[];
  /** The holds that our running sessions probe, by task. */
  readonly #probes = new Map<number, Hold[]>();
  /** When the API last answered, by task, in milliseconds since 1970; of ended tasks the latest, under 0. */
  readonly #answeredAt = new Map<number, number>();
  /** Since when the API has refused the login of a session that keeps retrying, in milliseconds since 1970. */
  readonly #refusedAt = new Map<number, number>();

  /** Since when this batch has waited for each current hold, in milliseconds since 1970. */
  readonly #waitingSince = new Map<string, number>();

  /** The current holds that a session of this batch has probed in vain. */
  readonly #tried = new Set<string>();

  readonly #patience: Patience;

  constructor(holds: SharedHolds, holder: ProcessIdentity, patience: Patience) {
    this.#holds = holds;
    this.#holder = holder;
    this.#patience = patience;
    this.#known = [];
    this.refresh();
  }

  /** Reads the holds that other runners placed. */
  refresh(now = Date.now()): void {
    this.#known = this.#holds.all();
    const existing = new Set(this.#known.map(nameOf));
    for (const name of this.#waitingSince.keys()) if (!existing.has(name)) this.#waitingSince.delete(name);
    for (const name of this.#tried) if (!existing.has(name)) this.#tried.delete(name);
    for (const name of existing) if (!this.#waitingSince.has(name)) this.#waitingSince.set(name, now);
  }

  /** What stops tasks with this model; undefined if one may start, even if only as a probe. */
  stopping(model: string | undefined, now: number): Hold | undefined {
    return this.#concerning(model).find(
      (hold) => hold.isProbed || !(isDue(hold, now) || this.#isTriedEarly(hold)),
    );
  }

  /** Whether a session of this task may start, by the store's current state: no holds but those it probes. */
  mayStart(number: number, model: string | undefined): boolean {
    this.refresh();
    return this.allows(number, model);
  }

  /** The same by what was last read from the store, for callers that ask often. */
  allows(number: number, model: string | undefined): boolean {
    const own = this.#probes.get(number) ?? [];
    return this.#concerning(model).every((hold) => own.some((probe) => isSame(probe, hold)));
  }

  /** Claims the probes for a session about to start. False if another runner was faster. */
  claim(number: number, model: string | undefined, now: number): boolean {
    const open = this.#concerning(model);
    if (open.length === 0) return true;
    const claimed = open.filter((hold) =>
      this.#holds.claimProbe(hold, this.#holder, now, { early: this.#isTriedEarly(hold) }),
    );
    if (claimed.length === open.length) this.#probes.set(number, claimed);
    else for (const hold of claimed) this.#holds.endProbe(hold);
    this.refresh();
    return claimed.length === open.length;
  }

  /** Keeps the probe for a session of a dead runner that was started for it. `startedAt`: when that session started. */
  adopt(number: number, model: string | undefined, startedAt: number): void {
    this.refresh();
    const own = this.#concerning(model).filter((hold) =>
      this.#holds.adoptProbe(hold, this.#holder, startedAt),
    );
    if (own.length > 0) this.#probes.set(number, own);
    this.refresh();
  }

  /** The API has answered the session of a task: the holds that it probed are over. */
  answered(number: number, now: number): void {
    this.#answeredAt.set(number, now);
    this.#refusedAt.delete(number);
    this.#settle(number, (hold) => this.#holds.lift(hold));
  }

  /** The API has refused the login of a session, which keeps retrying. */
  refused(number: number, now: number): void {
    if (!this.#refusedAt.has(number)) this.#refusedAt.set(number, now);
  }

  /** Applies the failure of a session that has not ended yet, so that others stop at once. */
  failed({ number, model, outcome }: Ended, now: number): void {
    const facts = { model, now, patienceMs: this.#patienceFor(outcome), probed: false };
    const first = holdFor(outcome, { ...facts, othersAnswered: this.#othersAnswered(number, now) });
    if (!first) return;
    const existing = this.#holds.all().find((hold) => isSame(hold, first));
    // For an existing hold, the session's end decides, because it may have been a failed probe.
    if (!existing) this.#holds.place(first);
    this.refresh(now);
  }

  /** Applies how a session ended. Returns what that means for the others. */
  ended({ number, model, outcome }: Ended, now: number): HoldVerdict {
    const probes = this.#probes.get(number) ?? [];
    const othersAnswered = this.#othersAnswered(number, now);
    this.#forget(number);
    const facts = { model, now, othersAnswered, patienceMs: this.#patienceFor(outcome) };
    const first = holdFor(outcome, { ...facts, patienceMs: Number.POSITIVE_INFINITY, probed: false });
    if (!first) {
      this.#settle(number, (hold) => {
        if (outcome.kind === "succeeded") this.#holds.lift(hold);
        else if (isThrottled(outcome)) this.#tryLater(hold, now);
        else this.#holds.endProbe(hold);
      });
      return { kind: "goes-on" };
    }
    const same = (hold: Hold) => isSame(hold, first);
    const existing = this.#holds.all().find(same);
    const waitingSince = this.#waitingSince.get(nameOf(first));
    const tried = { ...facts, existing, probed: probes.some(same), waitingSince };
    const hold = holdFor(outcome, tried);
    // This batch gives up, but others may still wait: for them this was one more failed probe.
    const remaining =
      hold ?? (existing && holdFor(outcome, { ...tried, patienceMs: Number.POSITIVE_INFINITY }));
    if (remaining) this.#holds.place(remaining);
    for (const probe of probes) this.#tried.add(nameOf(probe));
    this.#settle(number, (probe) => this.#holds.endProbe(probe));
    this.refresh(now);
    return hold ? { kind: "held" } : { kind: "given-up", hold: first };
  }

  /** The session of a task has ended or never started: another one may probe in its place. */
  release(number: number): void {
    this.#settle(number, (hold) => this.#holds.endProbe(hold));
  }

  // Nobody logs in while this batch waits, but somebody may have since the last probe. So this batch alone probes once
  // early; for others, the hold stays as it is.
  #isTriedEarly(hold: Hold): boolean {
    return !this.#patience.isAttended && needsPerson(hold) && !this.#tried.has(nameOf(hold));
  }

  #patienceFor(outcome: AttemptOutcome): number {
    return this.#patience.isAttended || !asksForPerson(outcome) ? this.#patience.patienceMs : 0;
  }

  // A throttle shows nothing about the hold, and the next session would only be throttled too.
  #tryLater(hold: Hold, now: number): void {
    this.#tried.add(nameOf(hold));
    const existing = this.#holds.all().find((one) => isSame(one, hold));
    if (existing)
      this.#holds.place({ ...existing, until: untilAfterThrottle(existing, now), tries: existing.tries + 1 });
    this.#holds.endProbe(hold);
  }

  // Since the API refused the login of this one.
  #othersAnswered(number: number, now: number): boolean {
    const answered = [...this.#answeredAt].map(([other, at]) => (other === number ? 0 : at));
    return Math.max(0, ...answered) > (this.#refusedAt.get(number) ?? now);
  }

  #forget(number: number): void {
    this.#answeredAt.set(0, Math.max(this.#answeredAt.get(0) ?? 0, this.#answeredAt.get(number) ?? 0));
    this.#answeredAt.delete(number);
    this.#refusedAt.delete(number);
  }

  #concerning(model: string | undefined): Hold[] {
    return this.#known.filter((hold) => concerns(hold, model));
  }

  #settle(number: number, each: (hold: Hold) => void): void {
    const probes = this.#probes.get(number);
    if (!probes) return;
    this.#probes.delete(number);
    for (const hold of probes) each(hold);
    this.refresh();
  }
}

function nameOf({ kind, model }: HoldName): string {
  return `${kind} ${model}`;
}
