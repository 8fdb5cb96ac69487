// The clocks of one attempt: how long a session may take, be silent, and stay after its answer.
import type { Ending } from "../../claude/outcome.ts";
import { answersOf, isQuiet, type Reading } from "../../claude/reading.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { Clock } from "../../model/outcome.ts";

/** How long a session may stay after its answer, in milliseconds (product contract). */
const lingerMs = 30_000;

type Limits = Pick<
  SessionOptions,
  "firstEventTimeoutSeconds" | "idleTimeoutSeconds" | "timeoutSeconds" | "backgroundWaitSeconds"
>;

export class AttemptClocks {
  readonly #limits: Limits;
  // The monotonic clock, so that changing the system's clock ends nothing.
  readonly #now: () => number;
  readonly #startedAt: number;
  #changedAt: number;
  /** Time that the CLI waited between calls to an API that refused, in milliseconds: not the session's own. */
  #apiWaitedMs = 0;
  /** The last wait that it announced, which may still last. */
  #apiWaitMs = 0;
  #answeredAt: number | undefined;
  #answers = 0;

  /** `startedAt` in milliseconds since 1970: an adopted session started before this runner. */
  constructor(limits: Limits, startedAt: number, now = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
    this.#startedAt = now() - Math.max(0, Date.now() - startedAt);
    this.#changedAt = now();
  }

  /** How long the attempt has run, in milliseconds. */
  get ranMs(): number {
    return this.#now() - this.#startedAt;
  }

  /** The transcript has grown. `isHistory`: the new part was written before this runner came. */
  progressed(reading: Reading, isHistory: boolean): void {
    const now = this.#now();
    if (isHistory) this.#apiWaitedMs += reading.apiWaitedMs;
    else this.#apiWaitedMs += this.#waitingMs();
    this.#apiWaitMs = reading.apiWaitMs;
    this.#changedAt = now;
    const answers = answersOf(reading).length;
    if (answers > this.#answers) this.#answeredAt = now;
    this.#answers = answers;
  }

  /** Whether to stop waiting: the answer is there, and background commands have had their time. */
  isDone(reading: Reading): boolean {
    if (!isQuiet(reading) || this.#answeredAt === undefined) return false;
    if (reading.background.open.size === 0) return true;
    const { backgroundWaitSeconds, timeoutSeconds } = this.#limits;
    const waitedMs = this.#now() - this.#answeredAt;
    return waitedMs >= backgroundWaitSeconds * 1000 || this.#wallMs() >= timeoutSeconds * 1000;
  }

  /** The clock that has run out; undefined if none. `closedAt`: when the session's input was closed. */
  overdue(reading: Reading, closedAt: number | undefined): Ending | undefined {
    const now = this.#now();
    if (isQuiet(reading)) {
      const isLate = closedAt !== undefined && now - Math.max(closedAt, this.#answeredAt ?? 0) > lingerMs;
      return isLate ? { kind: "lingered", afterMs: lingerMs } : undefined;
    }
    const { firstEventTimeoutSeconds, idleTimeoutSeconds, timeoutSeconds } = this.#limits;
    const wallMs = this.#wallMs();
    const idleMs = now - this.#changedAt - this.#waitingMs();
    if (reading.messages === 0 && wallMs > firstEventTimeoutSeconds * 1000)
      return timedOut("first-event", firstEventTimeoutSeconds);
    if (wallMs > timeoutSeconds * 1000) return timedOut("wall", timeoutSeconds);
    return idleMs > idleTimeoutSeconds * 1000 ? timedOut("idle", idleTimeoutSeconds) : undefined;
  }

  #wallMs(): number {
    return this.#now() - this.#startedAt - this.#apiWaitedMs - this.#waitingMs();
  }

  // The part of the last announced wait that has passed.
  #waitingMs(): number {
    return Math.min(this.#apiWaitMs, this.#now() - this.#changedAt);
  }
}

function timedOut(clock: Clock, seconds: number): Ending {
  return { kind: "timed-out", clock, afterMs: seconds * 1000 };
}
