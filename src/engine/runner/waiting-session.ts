// A session that has started and has no prompt yet: nothing of it is in the log, and it spends nothing. It waits until the
// login is proven, and until it can share what another session has the API cache.

import { awaitsPrefix } from "../../model/wait-reason.ts";
import type { Running } from "../attempt/running.ts";
import type { Session } from "../attempt/session-host.ts";
import type { LoginProof } from "../scheduler/login-proof.ts";
import type { Place } from "../scheduler/prefix-groups.ts";

/** How a wait ends: with the prompt, with another start of the session, or with its end because nobody needs it now. */
export type WaitEnd = "go" | "start-again" | "give-up";

interface WaitingParts {
  number: number;
  session: Session;
  /** Whether it was started for this task. If one that was not dies, the task starts its own. */
  isOwn: boolean;
  place: Pick<Place, "step">;
  login: Pick<LoginProof, "whyWait" | "started">;
  /** Whether its task still wants it. */
  isMeant(): boolean;
  /** The session is ready. */
  ready(): void;
  /** Others may have its slot, although it has not gone yet. */
  giveSlotBack(): void;
  /** Whether the wait for the login is reported, and no longer. */
  report(because: string | undefined): void;
}

/** Shorter waits for the login are not reported, in milliseconds. */
const reportAfterMs = 2_000;

export class WaitingSession implements Running {
  readonly activity = awaitsPrefix;
  readonly #parts: WaitingParts;
  readonly #since = performance.now();
  readonly #end = Promise.withResolvers<WaitEnd>();
  #isOver = false;
  #isReported = false;
  #isLost = false;

  constructor(parts: WaitingParts) {
    this.#parts = parts;
    // What it said before it exited is the outcome of an attempt like any other, unless it was no fault of its own.
    void parts.session.exited.then(() => {
      this.#isLost = !this.#isOver && !parts.isOwn;
      this.#finish(parts.isOwn && !parts.session.isLost?.() ? "go" : "start-again");
    });
    this.look();
  }

  /** Resolves when the wait is over. */
  get ended(): Promise<WaitEnd> {
    return this.#end.promise;
  }

  /** Whether the wait is over. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it went before its turn, and had not been started for this task. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Looks whether it goes on. */
  look(): void {
    const end = this.#isOver ? undefined : this.#endNow();
    if (end === undefined) return;
    // At once: the next one that looks must see that this one proves the login.
    if (end === "go") this.#parts.login.started(this.#parts.number);
    this.#finish(end);
  }

  readTranscript(): void {
    const { session, ready } = this.#parts;
    session.output.read();
    const { isInitialized, messages } = session.output.reading;
    if (isInitialized || messages > 0) ready();
  }

  checkClocks(): void {
    this.look();
  }

  end(): void {
    this.#finish("give-up");
  }

  evict(): void {
    this.#finish("give-up");
  }

  /** Ends the wait because fewer sessions may run than do. Its task is queued, and starts again in another slot. */
  giveBack(): void {
    if (this.#isOver) return;
    this.#finish("give-up");
    this.#parts.giveSlotBack();
  }

  // Undefined while it waits.
  #endNow(): WaitEnd | undefined {
    const { place, login, isMeant } = this.#parts;
    if (!isMeant()) return "give-up";
    const because = login.whyWait();
    if (because !== undefined) this.#reportWait(because);
    const step = because === undefined ? place.step() : "wait";
    return step === "wait" ? undefined : step;
  }

  #reportWait(because: string): void {
    if (performance.now() - this.#since <= reportAfterMs) return;
    this.#isReported = true;
    this.#parts.report(because);
  }

  #finish(how: WaitEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isReported) this.#parts.report(undefined);
    this.#end.resolve(how);
  }
}
