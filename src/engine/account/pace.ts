// How many sessions at once an account sustains. Nothing reports it, so it is found by trying: it grows while the API
// answers, halves when it throttles, and then returns to the last good number, quickly at first and slowly near the
// limit.
import { z } from "zod";

const pace = z.object({
  /** Sessions at once. A fraction is rounded down until it adds up to one more. */
  ceiling: z.number().min(1),
  /** The ceiling at which the API last throttled; absent if it never has. */
  peak: z.number().optional(),
  /** Rounds since then: one round is as many replies as the ceiling. */
  rounds: z.number(),
  /** When that was, in milliseconds since 1970. */
  throttledAt: z.number(),
});
export type Pace = z.output<typeof pace>;

const keptPace = pace.extend({ keptAt: z.number() });

/** How many sessions every account can run at once: throttles were reported from seven on. */
const firstCeiling = 4;
/** Far above what any account sustains, or a machine has memory for. */
const mostCeiling = 1_000;
/** If less than this part of the ceiling is in use, replies say nothing about the ceiling. */
const inUse = 0.8;
/** How many rounds the ceiling takes to return to where it was. */
const recoveryRounds = 3;
/** A throttle this soon after the last one, in milliseconds, is its echo, unless a round has passed. */
const echoMs = 5_000;
/** What was learned longer ago than this, in milliseconds, may be outdated. */
const freshMs = 30 * 60_000;

/** The pace if nothing is known. */
export const firstPace: Pace = { ceiling: firstCeiling, rounds: 0, throttledAt: 0 };

/** The API has answered a session while this many ran. */
export function replied(before: Pace, running: number): Pace {
  if (running < Math.floor(before.ceiling) * inUse) return before;
  const rounds = before.rounds + 1 / before.ceiling;
  const { peak } = before;
  // One more for each reply doubles the ceiling in a round.
  const ceiling =
    peak === undefined ? before.ceiling + 1 : Math.max(before.ceiling, ceilingAfter(peak, rounds));
  return { ...before, rounds, ceiling: Math.min(mostCeiling, ceiling) };
}

/** The API has requested fewer calls, or refused them, while this many sessions ran. */
export function throttled(before: Pace, running: number, now: number): Pace {
  const isEcho = running > before.ceiling || (before.rounds < 1 && now - before.throttledAt < echoMs);
  if (isEcho && before.peak !== undefined) return before;
  const peak = Math.min(before.ceiling, Math.max(1, running));
  return { ceiling: Math.max(1, peak / 2), peak, rounds: 0, throttledAt: now };
}

/** The text to store for later runners. */
export function keptText(pace: Pace, now: number): string {
  return JSON.stringify({ ...pace, keptAt: now });
}

/** Parses the stored text. Starts afresh if it is old or unreadable. */
export function paceFrom(text: string | undefined, now: number): Pace {
  if (text === undefined) return firstPace;
  try {
    const { keptAt, ...kept } = keptPace.parse(JSON.parse(text));
    return now - keptAt < freshMs ? kept : firstPace;
  } catch {
    // Written by another version of ours: learn it again.
    return firstPace;
  }
}

// A cubic curve, as in TCP (RFC 9438): flat at the old limit, steep far from it, so that a raised limit is found soon.
function ceilingAfter(peak: number, rounds: number): number {
  const steepness = 0.5 / recoveryRounds ** 3;
  return peak * (1 + steepness * (rounds - recoveryRounds) ** 3);
}
