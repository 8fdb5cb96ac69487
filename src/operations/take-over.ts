// Waits until a runner has taken over a batch that runs again.
import { isAbandoned, resumeBatch } from "../engine/runner/resume-batches.ts";
import { prose } from "../model/prose.ts";
import type { SessionValues } from "../model/session-values.ts";
import { messageOf } from "../platform/system-error.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { patiently } from "../store/patiently.ts";
import type { BatchRow } from "../store/store.ts";
import { type Context, UserError } from "./context.ts";
import { follow } from "./follow.ts";

/** How long the answer waits for a runner to take over the batch, in milliseconds. It usually takes half a second. */
const takeOverMs = 20_000;

/**
 * Marks a batch, as its `row` is, as one for which processes are about to be started. Call before the log asks for them: if
 * this process is killed before it has started them, the next call resumes the batch, however old it is. Gives the row
 * for `takeOver`: another process may be faster, which that sees.
 */
export async function announced({ store }: Context, row: BatchRow): Promise<BatchRow> {
  // It was asked to run again by somebody else since the caller looked at its log.
  if (row.endedAt === undefined && !isAbandoned(row)) return row;
  const { runner: _, keeper: __, ...others } = row;
  if (await patiently(() => store.announce(row))) return others;
  // The process that was faster with this may not be the one that asks for it in the log. Both start a keeper then, and one stays.
  const now = store.row(row.batchId);
  return now && !now.runner && !now.keeper ? others : row;
}

/**
 * Starts processes for a batch, as its `row` was before it was asked to run again. Throws `UserError` if no runner takes it
 * over: nobody reports that a batch runs again before it does.
 */
export async function takeOver(
  { store }: Context,
  log: BatchLog,
  { row, values, signal }: { row: BatchRow; values: SessionValues; signal: AbortSignal },
): Promise<void> {
  const { epoch } = row;
  const { batchId } = log;
  try {
    await resumeBatch(store, row, values);
  } catch (error) {
    throw new UserError(`Batch ${batchId} could not be resumed: ${messageOf(error)}`);
  }
  const until = performance.now() + takeOverMs;
  const ended = await follow(store, log, { until, signal, enough: (state) => state.epoch > epoch });
  if (ended || log.state.epoch > epoch) return;
  throw new UserError(
    prose`Batch ${batchId} is queued to run again, but no process has taken it over within ${takeOverMs / 1000} s. ${store.layout.runnerLog(batchId)} may say why; ${{ do: "look", batchId }} says whether it runs.`,
  );
}
