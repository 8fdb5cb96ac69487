// Shows a batch while another process runs it: live in a terminal, as plain lines elsewhere.
import { product } from "../../../model/product.ts";
import type { Standstill } from "../../../model/standstill.ts";
import type { BatchState, DoneTask } from "../../../model/state.ts";
import type { Context } from "../../../operations/context.ts";
import { rowOf } from "../../../operations/find-batch.ts";
import { follow } from "../../../operations/follow.ts";
import { doneTasks } from "../../../operations/news.ts";
import { countText, numberText } from "../../../report/amounts.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { heldNow, stateWordOf } from "../../../store/batch-status.ts";
import type { Printer } from "../terminal/terminal.ts";
import type { Snapshot } from "./live-frame.ts";
import { LiveView, PlainView } from "./live-view.ts";
import { faceOf, progressLines } from "./progress-lines.ts";

/** How many tasks that ended before the command began to list. */
const mostEarlier = 20;

/** How long to reuse the last check of the processes, in milliseconds. */
const standingMs = 1_000;

/** Until the batch has ended or lost its processes, or the signal is aborted. */
export async function showUntilEnd(
  context: Context,
  log: BatchLog,
  printer: Printer,
  signal: AbortSignal,
): Promise<void> {
  const { store } = context;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const view = printer.isLive ? new LiveView(printer, () => snapshot()) : new PlainView(printer);
  const already = toldElsewhere(log.state);
  const ended = progressLines((line) => view.say(line), faceOf(printer), already);
  const snapshot = snapshotOf(context, log);
  try {
    if (already.length > 0 && log.state.endedAt === undefined)
      view.say(earlierText(log.state, already.length));
    ended(log.state);
    await follow(store, log, {
      until: Number.POSITIVE_INFINITY,
      signal,
      changed: ended,
      enough: () => {
        if (performance.now() - lookedAt < standingMs) return false;
        lookedAt = performance.now();
        return stateWordOf(rowOf(context, log)) === "interrupted";
      },
    });
    ended(log.state);
  } finally {
    await view.end();
  }
}

// For an ended batch, and for many tasks, `show` has the list.
function toldElsewhere(state: BatchState): DoneTask[] {
  const done = doneTasks(state);
  return state.endedAt === undefined && done.length <= mostEarlier ? [] : done;
}

function earlierText({ batch, tasks }: BatchState, ended: number): string {
  return `${numberText(ended)} of ${countText(tasks.length, "task")} ended earlier: \`${product.name} show ${batch.batchId}\` lists them.`;
}

// Activities are read only after a write to the store; the row, once a second.
function snapshotOf({ store }: Context, log: BatchLog): () => Snapshot {
  let changeCount = -1;
  let activities: ReadonlyMap<number, string> = new Map();
  let heldAt = Number.NEGATIVE_INFINITY;
  let hold: Standstill | undefined;
  return () => {
    const count = store.changeCount();
    if (count !== changeCount) {
      changeCount = count;
      activities = store.activities(log.batchId);
    }
    if (performance.now() - heldAt >= standingMs) {
      heldAt = performance.now();
      const row = store.row(log.batchId);
      hold = row && heldNow(row);
    }
    return { state: log.state, activities, hold, now: Date.now() };
  };
}
