// What is said of a batch whose processes cannot be looked at from here.
import { carriedBy } from "../engine/standing.ts";
import { countText } from "../report/amounts.ts";
import { believedMs } from "../store/holder.ts";
import type { BatchRow } from "../store/store.ts";

/** Empty where they can be looked at. Begins with a blank. */
export function farText(row: BatchRow, now = Date.now()): string {
  if (row.endedAt !== undefined || carriedBy(row, now) !== "far") return "";
  const seconds = Math.max(0, Math.round((now - row.aliveAt) / 1000));
  return ` Its processes are in another container or on another machine, and last reported ${countText(seconds, "second")} ago. If they do not report for ${believedMs / 1000} seconds, the batch counts as interrupted; \`retry\` then resumes it, and \`cancel\` ends it.`;
}
