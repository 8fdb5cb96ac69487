// What is done to a round, drawn before it begins, so that the same seed does the same again.
import type { Random } from "./random.ts";

/** Who is hit. */
export type Target =
  | "runner"
  | "keeper"
  | "door"
  | "session"
  | "door and its descendants"
  | "runner and keeper"
  | "all but the sessions"
  | "everything";

/** When: after a pause, or at the first such moment after it. Short windows are hit only on purpose. */
export type Moment = "any" | "a session starts" | "a result file appears" | "a transcript grows";

export interface Fault {
  target: Target;
  signal: "SIGKILL" | "SIGTERM" | "SIGSTOP";
  /** Between the fault before and this one, in milliseconds. */
  pauseMs: number;
  moment: Moment;
  /** From that moment to the blow, in milliseconds. */
  lateMs: number;
  /** How long those that were stopped stay so, in milliseconds. */
  stoppedMs: number;
}

/** The faults of one round, in their order. */
export function faultsOf(random: Random, { least, most }: { least: number; most: number }): Fault[] {
  return Array.from({ length: random.between(least, most) }, () => faultFrom(random));
}

/** A fault in words: `SIGKILL runner (a session starts +3 ms)`. */
export function faultText({ target, signal, moment, lateMs, stoppedMs }: Fault): string {
  const until = signal === "SIGSTOP" ? ` for ${stoppedMs} ms` : "";
  return `${signal} ${target}${until}${moment === "any" ? "" : ` (${moment} +${lateMs} ms)`}`;
}

function faultFrom(random: Random): Fault {
  const target = random.weighted<Target>([
    [6, "runner"],
    [1, "keeper"],
    [1, "door"],
    [3, "session"],
    [1, "door and its descendants"],
    [3, "runner and keeper"],
    [2, "all but the sessions"],
    [2, "everything"],
  ]);
  const signal = random.weighted<Fault["signal"]>([
    [8, "SIGKILL"],
    [1, "SIGTERM"],
    [1, "SIGSTOP"],
  ]);
  const moment = random.weighted<Moment>([
    [2, "any"],
    [3, "a session starts"],
    [2, "a result file appears"],
    [2, "a transcript grows"],
  ]);
  return {
    target,
    signal,
    moment,
    pauseMs: random.between(20, 600),
    lateMs: random.chance(0.5) ? random.between(0, 3) : random.between(0, 30),
    stoppedMs: random.between(100, 1_500),
  };
}
