// The state of a batch seen from outside: the log says what happened, the process table whether it continues.

import { endedWord, type StateWord } from "../model/state-word.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { type Liveness, livenessOf } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { isFresh } from "./holder.ts";
import type { BatchRow, Store } from "./store.ts";

/**
 * Whether a process runs a batch that has not ended. `far`: in another container or on another machine, where we cannot
 * look, with a fresh heartbeat. `lost`: that heartbeat is too old.
 */
export type Presence = "here" | "starting" | "far" | "lost" | "nobody";

export function presenceOf(
  { runner, keeper, aliveAt }: BatchRow,
  now = Date.now(),
  liveness: AskLiveness = livenessOf,
): Presence {
  const seen = [runner, keeper].flatMap((identity) => (identity ? [liveness(identity)] : []));
  if (seen.includes("alive")) return "here";
  if (seen.includes("unknown")) return isFresh(aliveAt, now) ? "far" : "lost";
  return seen.length === 0 && isFresh(aliveAt, now) ? "starting" : "nobody";
}

/** How a caller asks: with `livenessOf`, or with a watch if it asks often. */
type AskLiveness = (identity: ProcessIdentity) => Liveness;

/** Its state in one word. `interrupted`: it has neither ended nor paused, and neither runner nor keeper lives. */
export function stateWordOf(row: BatchRow, now = Date.now(), liveness: AskLiveness = livenessOf): StateWord {
  if (row.endedAt !== undefined) return endedWord(row);
  const presence = presenceOf(row, now, liveness);
  return presence === "lost" || presence === "nobody" ? "interrupted" : "running";
}

/**
 * The row of a batch that is not said to be interrupted too early: one without processes is read again, because it may have
 * ended, and its processes with it, between the first look at it and the look at them.
 */
export function settledRow(row: BatchRow, store: Pick<Store, "row">): BatchRow {
  return stateWordOf(row) === "interrupted" ? (store.row(row.batchId) ?? row) : row;
}

/** What holds a batch. Undefined once it has ended or lost its processes, even if its row still has a reason. */
export function heldNow(row: BatchRow, now = Date.now()): WaitReason | undefined {
  return row.held && stateWordOf(row, now) === "running" ? row.held : undefined;
}
