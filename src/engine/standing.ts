// How a batch stands, seen from outside: the log says what happened, the process table whether it goes on.
import type { StateWord } from "../model/state-word.ts";
import { livenessOf } from "../platform/process.ts";
import type { BatchRow } from "../store/store.ts";

/** A runner that starts, or that cannot be looked at from here, is believed for so long, in milliseconds. */
const believedMs = 60_000;

/** The one word for it. `interrupted`: neither runner nor keeper lives, and it has not ended. */
export function standingOf(row: BatchRow, now = Date.now()): StateWord {
  if (row.endedAt !== undefined) return row.cancelledBy === undefined ? "finished" : "cancelled";
  const seen = [row.runner, row.keeper].flatMap((identity) => (identity ? [livenessOf(identity)] : []));
  if (seen.includes("alive")) return "running";
  const uncertain = seen.length === 0 || seen.includes("unknown");
  return uncertain && now - row.aliveAt < believedMs ? "running" : "interrupted";
}
