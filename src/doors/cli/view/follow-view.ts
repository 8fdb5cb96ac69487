// Shows a batch that another process runs, until its end.
import { product } from "../../../model/product.ts";
import type { BatchState, DoneTask } from "../../../model/state.ts";
import type { Context } from "../../../operations/context.ts";
import type { FollowedBatch } from "../../../operations/followed-batch.ts";
import { doneTasks } from "../../../operations/news.ts";
import { countText, numberText } from "../../../report/amounts.ts";
import type { Printer } from "../terminal/terminal.ts";
import { batchView } from "./batch-view.ts";

/** How many tasks that ended before the command began to list. */
const mostEarlier = 20;

/**
 * Until the batch has ended or lost its processes, or the signal is aborted. `isQuiet`: shows nothing of its progress. `keysFor`:
 * keys change the batch meanwhile.
 */
export async function showUntilEnd(
  batch: FollowedBatch,
  printer: Printer,
  signal: AbortSignal,
  { isQuiet = false, keysFor }: { isQuiet?: boolean; keysFor?: Context } = {},
): Promise<void> {
  const already = toldElsewhere(batch.state);
  const view = batchView(printer, batch, { already, isQuiet, ...(keysFor ? { keysFor } : {}) });
  try {
    if (!isQuiet && already.length > 0 && batch.state.endedAt === undefined)
      view.say(earlierText(batch.state, already.length));
    view.show();
    await batch.untilEnd(signal, view.show);
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
