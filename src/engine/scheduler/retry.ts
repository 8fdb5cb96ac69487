// Whether a task is retried, and when: the rule alone. `runner/retry-times.ts` applies it to an attempt that has ended.
import { type AttemptOutcome, type FailureReason, isThrottled } from "../../model/outcome.ts";

/** Delay before the first retry after a throttle, in milliseconds: by then, fewer sessions run. */
const throttledMs = 2_000;
const otherMs = 1_000;
const longestMs = 5 * 60_000;

/** A session that died with its runner, or after it, was hardly at fault: retried this often even if `retries` is lower. */
const lostRunnerRetries = 2;

/**
 * Attempts during a continuing throttle: about 25 minutes of waits here, and up to three minutes in each by the CLI
 * itself, except 2.1.197 with a subscription.
 */
const mostThrottled = 12;

/** How often in a row a task runs again for nothing because its machine was lost: each time may cost all its work. */
const mostLost = 5;

/** Failures that a second try can fix. If a refused login holds nobody, it was renewed in that moment. */
const passing: readonly FailureReason[] = ["server-error", "connection", "interrupted", "auth"];

interface Tried {
  outcome: AttemptOutcome;
  /** How the earlier attempts ended. */
  earlier: readonly AttemptOutcome[];
  /** From the task's options. */
  retries: number;
  /** Whether the runner that started the attempt died before it ended. */
  adopted: boolean;
  /** Whether it holds the account: then the task waits with all others. */
  held: boolean;
  /** Whether another attempt can continue the conversation. */
  resumable?: boolean;
  /** Whether the task starts over, because the attempt showed that the earlier conversation cannot be continued. */
  startsOver?: boolean;
}

/**
 * How long to wait before the task is retried, in milliseconds; undefined if it has ended. Retries only what a second try
 * can fix, and after an answer only if it was not accepted. Failures caused by machine or account do not count as tries. `chance` (0 to 1)
 * spreads simultaneous failures.
 */
export function retryDelayMs(tried: Tried, chance = Math.random()): number | undefined {
  const { outcome, earlier, retries, adopted, held, startsOver, resumable } = tried;
  if (held || startsOver || outcome.kind === "evicted") return 0;
  // Claude hears at once what is wrong with its answer. Without the conversation, all the work would be paid for again.
  if (isUnfit(outcome)) return resumable && earlier.filter(isUnfit).length < retries ? 0 : undefined;
  const spread = (firstMs: number, tries: number) =>
    Math.min(longestMs, firstMs * 2 ** (tries - 1)) * (0.5 + chance / 2);
  if (isLost(outcome)) {
    const before = earlier.length - 1 - earlier.findLastIndex((one) => !isLost(one));
    if (before < mostLost) return before === 0 ? 0 : spread(otherMs, before);
    // It is paid for each time, so from here on it counts.
    return before - mostLost < retries ? spread(otherMs, before) : undefined;
  }
  if (isThrottled(outcome)) {
    const tries = earlier.filter(isThrottled).length + 1;
    return tries < mostThrottled ? spread(throttledMs, tries) : undefined;
  }
  if (!mayPass(outcome)) return undefined;
  const most = adopted && outcome.kind === "crashed" ? Math.max(retries, lostRunnerRetries) : retries;
  const tries = earlier.filter(mayPass).length + 1;
  return tries > most ? undefined : spread(otherMs, tries);
}

/** When a retry is due: `notBefore` by the time of day in the log, `dueAt` on this process's monotonic clock. */
export interface RetryTime {
  notBefore: number | undefined;
  /** Only for tasks whose delay started in this process. */
  dueAt: number | undefined;
}

/** Whether a retry may begin, even if the clock was changed since its delay started. */
export function isRetryDue({ notBefore = 0, dueAt }: RetryTime, now: number, monotonicNow: number): boolean {
  if (notBefore <= now || (dueAt !== undefined && dueAt <= monotonicNow)) return true;
  // No delay is that long, so the clock was set back.
  return notBefore - now > longestMs;
}

/** Whether there is an answer that Claude may correct: one that did not pass a check, or does not fit its schema. */
function isUnfit(outcome: AttemptOutcome): boolean {
  if (outcome.kind === "unverified") return outcome.check.broken !== true;
  return outcome.kind === "failed" && outcome.reason === "schema";
}

function isLost(outcome: AttemptOutcome): boolean {
  return outcome.kind === "crashed" && outcome.lost === true;
}

function mayPass(outcome: AttemptOutcome): boolean {
  switch (outcome.kind) {
    case "crashed":
      return !isLost(outcome);
    case "timed-out":
      // A task that used up all its time would do so again.
      return outcome.clock !== "wall";
    case "failed":
      return passing.includes(outcome.reason);
    default:
      return false;
  }
}
