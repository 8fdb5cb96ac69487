// Lets a batch go on that somebody has paused, and that has not come to rest.
import { isAbandoned } from "../engine/runner/resume-batches.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { Context } from "./context.ts";
import { rowOf } from "./find-batch.ts";
import type { Call } from "./operation.ts";
import { type Requested, requestChange, type Wanted } from "./request-change.ts";
import { retryBatch } from "./retry.ts";

/**
 * Asks that it goes on, and starts processes for it if it has lost its own. Throws `UserError` if it could not run: then it is
 * paused no more all the same, and a retry resumes it. `env`: the values that were lost with the processes.
 */
export async function goOn(
  context: Context,
  log: BatchLog,
  { env, ...wanted }: Omit<Wanted, "pause"> & { env?: unknown },
  call: Call,
): Promise<Requested> {
  const requested = await requestChange(log, { ...wanted, pause: false });
  const row = rowOf(context, log);
  if (requested === "over" || requested === "rests" || row.endedAt !== undefined || !isAbandoned(row))
    return requested;
  const { batchId } = log;
  await retryBatch.run(
    context,
    { batchId, only: "interrupted", ...(env === undefined ? {} : { env }) },
    call,
  );
  return requested;
}
