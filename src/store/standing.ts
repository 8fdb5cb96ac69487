// How a batch stands, seen from outside: the log says what happened, the process table whether it goes on.
import type { Standstill } from "../model/standstill.ts";
import { endedWord, type StateWord } from "../model/state-word.ts";
import { livenessOf } from "../platform/process.ts";
import { isFresh } from "./holder.ts";
import type { BatchRow } from "./store.ts";

/**
 * Whether somebody carries a batch that has not ended. `far`: whoever does is in another container, or on another
 * machine, where we cannot look, and gave a sign of life a moment ago. `lost`: that sign is too old to be believed.
 */
export type Carried = "here" | "starting" | "far" | "lost" | "nobody";

export function carriedBy({ runner, keeper, aliveAt }: BatchRow, now = Date.now()): Carried {
  const seen = [runner, keeper].flatMap((identity) => (identity ? [livenessOf(identity)] : []));
  if (seen.includes("alive")) return "here";
  if (seen.includes("unknown")) return isFresh(aliveAt, now) ? "far" : "lost";
  return seen.length === 0 && isFresh(aliveAt, now) ? "starting" : "nobody";
}

/** The one word for it. `interrupted`: neither runner nor keeper lives, and it has not ended. */
export function standingOf(row: BatchRow, now = Date.now()): StateWord {
  if (row.endedAt !== undefined) return endedWord(row);
  const carried = carriedBy(row, now);
  return carried === "lost" || carried === "nobody" ? "interrupted" : "running";
}

/** What holds a batch. Its row may still say so when it has ended, or nobody carries it any more: then nothing waits. */
export function heldNow(row: BatchRow, now = Date.now()): Standstill | undefined {
  return row.held && standingOf(row, now) === "running" ? row.held : undefined;
}
