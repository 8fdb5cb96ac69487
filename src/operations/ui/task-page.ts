// The page of an ended task as `ui` serves it, made from log and transcript: nothing that a session could have written in the
// output directory is served.

import { longestText, resultTextOf } from "../../engine/output/result-text.ts";
import { taskViewOf } from "../../engine/output/task-file.ts";
import { canRetry } from "../../model/state.ts";
import { retryAddress } from "../../report/acts.ts";
import { remedyFor } from "../../report/advice.ts";
import { errorPage } from "../../report/error-page.ts";
import { resultPage } from "../../report/result-page.ts";
import { rowId } from "../../report/wire/marks.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { addressesOf } from "./addresses.ts";
import { hasPage, hasSessionPage } from "./shown-batch.ts";

/** The page, or the address of another one that shows the task; undefined if there is no such task. */
export async function taskPageOf(
  { state, batchId }: BatchLog,
  number: number,
): Promise<{ html: string } | { elsewhere: string } | undefined> {
  const task = state.tasks[number - 1];
  if (task === undefined) return undefined;
  const addresses = addressesOf(batchId);
  const session = hasSessionPage(task) ? addresses.session(number) : undefined;
  if (task.status !== "done" || !hasPage(task))
    return { elsewhere: session ?? `${addresses.page}#${rowId(number)}` };
  const answer = resultTextOf(task, longestText);
  const view = await taskViewOf(state, task, { answer, lastText: undefined });
  const { page: report, task: hrefOf } = addresses;
  if (view.kind === "error") {
    const { changes } = remedyFor(task.outcome, view.page.advice);
    const retry = canRetry(task) ? retryAddress(report, { number, batch: state.batch, changes }) : undefined;
    return { html: errorPage(view.page, { report, hrefOf, session, retry }) };
  }
  return {
    html: resultPage({ ...view.page, reportHref: report, feedHref: "", served: { hrefOf, session } }),
  };
}
