// How a batch is doing, and what to do next, in a few sentences for the caller.
import { batchEndOf } from "../model/batch-end.ts";
import { endMessage, statusText } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, stateWordOf } from "../store/batch-status.ts";
import { cancelledUnstarted, fileFailuresOf } from "../store/end-details.ts";
import type { BatchRow } from "../store/store.ts";
import type { Context } from "./context.ts";
import { farText, interruptedText } from "./far-text.ts";

/** Includes what is known of its processes. */
export function messageNow(context: Context, { state }: BatchLog, row: BatchRow): string {
  const { door } = context;
  const text = statusText(state, stateWordOf(row), { door, held: heldNow(row) });
  return withProcesses(context, text, row);
}

/** The same for a batch that did not end well, from its row: with many of them, whole logs are not read. */
export function endMessageNow(context: Context, row: BatchRow): string | undefined {
  const { store, door } = context;
  const end = batchEndOf({ word: stateWordOf(row), ...row });
  if (!end || (end.kind === "succeeded" && end.by === undefined)) return undefined;
  const { batchId, stoppedBy, counts, cancelledBy } = row;
  const facts = {
    ...row,
    // Only a batch that stopped at its budget mentions it.
    ...(stoppedBy === "budget" ? store.budgets(batchId) : {}),
    end,
    ...(end.kind === "paused" ? { pausedBy: store.pausedBy(batchId) } : {}),
    notStarted: counts.cancelled > 0 ? cancelledUnstarted(store.database, batchId) : 0,
    isPartial: cancelledBy === undefined,
  };
  const text = endMessage(facts, { fileFailures: fileFailuresOf(store, batchId) }, door);
  return withProcesses(context, text, row);
}

function withProcesses({ door }: Context, text: string, row: BatchRow): string {
  const processes = stateWordOf(row) === "interrupted" ? interruptedText(row) : farText(row, door);
  return processes === undefined ? text : `${text} ${processes}`;
}
