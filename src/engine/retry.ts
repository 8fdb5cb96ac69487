// Whether a task is tried again, and when.
import type { Outcome } from "../model/outcome.ts";

/** Where the API asked for less, in milliseconds before the first retry; doubled with each further one. */
const throttledMs = 10_000;
const otherMs = 1_000;
const longestMs = 5 * 60_000;

/** A session that died together with its runner was not at fault: it is continued whatever `retries` says. */
const ownFaultRetries = 2;

interface Tried {
  outcome: Outcome;
  /** Attempts so far, this one among them. */
  attempts: number;
  /** As the task's options have it. */
  retries: number;
  /** Whether the runner that started the attempt died before it ended. */
  adopted: boolean;
}

/**
 * How long to wait before the task is tried again, in milliseconds; nothing when it has ended. Only what a
 * second try can mend is tried again, and never after an answer. `chance` (0 to 1) spreads what failed together.
 */
export function retryDelayMs(
  { outcome, attempts, retries, adopted }: Tried,
  chance = Math.random(),
): number | undefined {
  const firstMs = firstDelayMs(outcome);
  const most = adopted && outcome.kind === "crashed" ? Math.max(retries, ownFaultRetries) : retries;
  if (firstMs === undefined || attempts > most) return undefined;
  return Math.min(longestMs, firstMs * 2 ** (attempts - 1)) * (0.5 + chance / 2);
}

function firstDelayMs(outcome: Outcome): number | undefined {
  switch (outcome.kind) {
    case "crashed":
      return otherMs;
    case "timed-out":
      // A task that used up all its time would do so again.
      return outcome.clock === "wall" ? undefined : otherMs;
    case "failed":
      if (outcome.reason === "rate-limit" || outcome.reason === "overloaded") return throttledMs;
      return ["server-error", "connection", "interrupted"].includes(outcome.reason) ? otherMs : undefined;
    default:
      return undefined;
  }
}
