// A batch as a task of the protocol: the task id is the batch id, so a task outlives the server that reports on it.
import { batchIdSchema } from "../model/batch-id.ts";
import { type BatchState, completedCount } from "../model/state.ts";
import { sessionAnswerOf, statusText } from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, stateWordOf } from "../store/batch-status.ts";
import type { BatchRow } from "../store/store.ts";
import { clientAnswerNow } from "./answer-now.ts";
import type { ClientLimits } from "./client-limits.ts";
import type { Context } from "./context.ts";
import { rowOf } from "./find-batch.ts";
import { requestCancel } from "./request-cancel.ts";

/** How a batch is doing, for a client that started it as a task. */
export interface BatchTask {
  status: "working" | "completed" | "cancelled";
  /** Milliseconds since 1970. */
  createdAt: number;
  changedAt: number;
  message: string;
}

/** Undefined if there is no such batch, or not any more. */
export function batchTask(context: Context, taskId: string): BatchTask | undefined {
  const known = batchOf(context, taskId);
  if (!known) return undefined;
  const row = rowOf(context, known);
  // It may have ended since.
  const log = row.endedAt === undefined ? known : (batchOf(context, taskId) ?? known);
  return {
    status: statusOf(row, log.state),
    createdAt: row.createdAt,
    changedAt: row.changedAt,
    message: `${statusText(log.state, stateWordOf(row), { door: context.door, held: heldNow(row) })}${keptText(row, log.state)}`,
  };
}

/** The answer that the call which started the batch would have given. */
export async function batchTaskAnswer(
  context: Context,
  taskId: string,
  limits: ClientLimits,
): Promise<Record<string, unknown>> {
  const log = batchOf(context, taskId);
  if (!log) throw new Error(`Internal error: there is no batch ${taskId}`);
  const answer = await clientAnswerNow(context, log, { limits });
  return log.state.batch.startedBy === "spawn_claude_session" ? sessionAnswerOf(answer) : answer;
}

/** Cancels a batch that has not ended. False if there is none. */
export async function cancelBatchTask(context: Context, taskId: string): Promise<boolean> {
  const log = batchOf(context, taskId);
  if (!log) return false;
  await requestCancel(context, log, { by: "client" });
  return true;
}

// A cancelled task of the protocol has no result, but the results so far are kept.
function keptText(row: BatchRow, state: BatchState): string {
  if (statusOf(row, state) !== "cancelled" || completedCount(state.counts) === 0) return "";
  return ` The results so far are kept: read_batch_results (batchId ${row.batchId}) returns them.`;
}

function batchOf({ store }: Context, taskId: string): BatchLog | undefined {
  const id = batchIdSchema.safeParse(taskId);
  return id.success ? store.batch(id.data) : undefined;
}

// If it has no processes, and opening the store did not resume it, it will report nothing more. Nor will one that has
// paused: a client may poll a `working` task for ever, and `input_required` is for input that the protocol can ask for.
// So both are completed, and the answer says what to do.
function statusOf(row: BatchRow, { endedAt, cancelledBy }: BatchState): BatchTask["status"] {
  if (endedAt === undefined) return stateWordOf(row) === "interrupted" ? "completed" : "working";
  return cancelledBy === "client" || cancelledBy === "user" ? "cancelled" : "completed";
}
