// What to say about a batch whose processes are not visible from here.
import { durationText } from "../report/amounts.ts";
import { stepText } from "../report/next-step.ts";
import type { Door } from "../report/option-words.ts";
import { presenceOf } from "../store/batch-status.ts";
import { staleAfterMs } from "../store/holder.ts";
import type { BatchRow } from "../store/store.ts";

/** Undefined if they are visible. */
export function farText(row: BatchRow, door: Door, now = Date.now()): string | undefined {
  if (row.endedAt !== undefined || presenceOf(row, now) !== "far") return undefined;
  const { batchId } = row;
  return `Its processes are in another container or on another machine, and last reported ${agoText(row, now)} ago. If they do not report for ${staleAfterMs / 1000} s, the batch counts as interrupted; ${stepText(door, { do: "retry", batchId })} then resumes it, and ${stepText(door, { do: "cancel", batchId })} ends it.`;
}

/** Why a batch is interrupted. */
export function interruptedText(row: BatchRow, now = Date.now()): string {
  return presenceOf(row, now) === "lost"
    ? `Its processes are in another container or on another machine, and have not reported for ${agoText(row, now)}.`
    : "Its processes are gone.";
}

function agoText({ aliveAt }: BatchRow, now: number): string {
  return durationText(Math.max(0, now - aliveAt));
}
