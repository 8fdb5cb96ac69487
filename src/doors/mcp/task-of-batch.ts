// Batches as tasks of the protocol. The task id is the batch id, so that any server process can answer for it.
import { type BatchTask, batchTask, batchTaskAnswer, cancelBatchTask } from "../../operations/batch-tasks.ts";
import type { Context } from "../../operations/context.ts";
import { openStore } from "../../operations/open-store.ts";
import { limitsFor, type Request } from "./limits.ts";
import type { DetailedTask, ProtocolTask } from "./task-extension.ts";
import { toolResult } from "./tool-result.ts";

/** How often a client may poll, in milliseconds: it costs a few milliseconds. */
const pollIntervalMs = 2_000;

/** The task with its result, if it has ended. Undefined if there is no such batch. */
export async function detailedTask(taskId: string, from: Request): Promise<DetailedTask | undefined> {
  const context = await from.connection.context.get();
  await openStore(context);
  const task = batchTask(context, taskId);
  if (!task) return undefined;
  const now = protocolTask(taskId, task);
  if (task.status !== "completed") return now;
  return { ...now, result: toolResult(await batchTaskAnswer(context, taskId, limitsFor(from, context))) };
}

/** Whether there is such a batch. */
export function isTask(context: Context, taskId: string): boolean {
  return batchTask(context, taskId) !== undefined;
}

/** Cancels the batch. False if there is none. */
export { cancelBatchTask as cancelTask };

/** The task of a batch that was just started. */
export function startedTask(context: Context, taskId: string): ProtocolTask {
  const task = batchTask(context, taskId);
  if (!task) throw new Error(`Internal error: there is no batch ${taskId}`);
  return protocolTask(taskId, task);
}

function protocolTask(taskId: string, { status, createdAt, changedAt, message }: BatchTask): ProtocolTask {
  return {
    taskId,
    status,
    statusMessage: message,
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(changedAt).toISOString(),
    // Kept until it is pruned.
    ttlMs: null,
    pollIntervalMs,
  };
}
