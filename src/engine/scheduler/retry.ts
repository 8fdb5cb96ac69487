// Whether a task is tried again, and when.
import { type AttemptOutcome, isThrottled } from "../../model/outcome.ts";

/** After a throttle, in milliseconds before the first retry: how many run at once is by then fewer. */
const throttledMs = 2_000;
const otherMs = 1_000;
const longestMs = 5 * 60_000;

/** A session that died together with its runner was not at fault: it is continued whatever `retries` says. */
const ownFaultRetries = 2;

/**
 * During a continuing throttle, this many attempts: about 25 minutes of waits here, and up to three minutes in each by
 * the CLI itself, which 2.1.197 leaves out with a subscription.
 */
const mostThrottled = 12;

interface Tried {
  outcome: AttemptOutcome;
  /** How the attempts before this one ended. */
  earlier: readonly AttemptOutcome[];
  /** As the task's options have it. */
  retries: number;
  /** Whether the runner that started the attempt died before it ended. */
  adopted: boolean;
  /** Whether the account is held because of it: then the task waits with all others. */
  held: boolean;
  /** Whether it showed that the earlier conversation cannot be continued. Then the task starts over. */
  broken?: boolean;
}

/**
 * How long to wait before the task is tried again, in milliseconds; nothing when it has ended. Only what a
 * second try can fix is tried again, and never after an answer. What machine and account did to it counts as no
 * try of the task's. `chance` (0 to 1) spreads what failed together.
 */
export function retryDelayMs(tried: Tried, chance = Math.random()): number | undefined {
  const { outcome, earlier, retries, adopted, held, broken } = tried;
  if (held || broken || outcome.kind === "evicted") return 0;
  const spread = (firstMs: number, tries: number) =>
    Math.min(longestMs, firstMs * 2 ** (tries - 1)) * (0.5 + chance / 2);
  if (isThrottled(outcome)) {
    const tries = earlier.filter(isThrottled).length + 1;
    return tries < mostThrottled ? spread(throttledMs, tries) : undefined;
  }
  if (!mayPass(outcome)) return undefined;
  const most = adopted && outcome.kind === "crashed" ? Math.max(retries, ownFaultRetries) : retries;
  const tries = earlier.filter(mayPass).length + 1;
  return tries > most ? undefined : spread(otherMs, tries);
}

/** When retries are due: `notBefore` is the time of day in the log, `dueAt` of this process's monotonic clock. */
export interface RetryTime {
  notBefore: number | undefined;
  /** Only of tasks whose delay began in this process. */
  dueAt: number | undefined;
}

/** Whether a retry may begin, though the clock was set back or forth since its delay began. */
export function isRetryDue({ notBefore = 0, dueAt }: RetryTime, now: number, monotonicNow: number): boolean {
  if (notBefore <= now || (dueAt !== undefined && dueAt <= monotonicNow)) return true;
  // No delay is that long.
  return notBefore - now > longestMs;
}

function mayPass(outcome: AttemptOutcome): boolean {
  switch (outcome.kind) {
    case "crashed":
      return true;
    case "timed-out":
      // A task that used up all its time would do so again.
      return outcome.clock !== "wall";
    case "failed":
      // Where the account is not held, others are answered: a login that was renewed in that moment.
      return ["server-error", "connection", "interrupted", "auth"].includes(outcome.reason);
    default:
      return false;
  }
}
