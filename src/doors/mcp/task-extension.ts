// The Tasks extension of 2026-07-28: calls that are answered with a task, which the client polls. Knows the protocol, but
// not what the tasks are.
import {
  CLIENT_CAPABILITIES_META_KEY,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { cut } from "../../model/cut.ts";
import { anyParams, paramsOf } from "./plain-errors.ts";

/** The extension's name, for `capabilities.extensions`. */
export const tasksExtension = "io.modelcontextprotocol/tasks";

/** A snapshot of a task. Times are ISO 8601. */
export interface ProtocolTask {
  taskId: string;
  status: "working" | "input_required" | "completed" | "cancelled" | "failed";
  statusMessage?: string;
  createdAt: string;
  lastUpdatedAt: string;
  /** How long it is kept after its beginning; `null` for no limit. */
  ttlMs: number | null;
  pollIntervalMs: number;
}

/** The same with its outcome: the call's result, the error of the protocol, or the requested input. */
export interface DetailedTask extends ProtocolTask {
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
  inputRequests?: Record<string, unknown>;
}

/** Where tasks come from. Each method returns undefined (or false) for an unknown task. */
export interface TaskSource {
  get(taskId: string, request: ServerContext): Promise<DetailedTask | undefined>;
  update(taskId: string, inputResponses: Record<string, unknown>): Promise<boolean>;
  cancel(taskId: string): Promise<boolean>;
}

const declared = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    extensions: z.object({ [tasksExtension]: z.looseObject({}) }),
  }),
});

/** Whether the client of this request accepts a task as the answer. */
export function takesTasks({ mcpReq }: ServerContext): boolean {
  return declared.safeParse(mcpReq.envelope).success;
}

/** For a call that cannot be answered without a task. */
export function tasksRequired(): MissingRequiredClientCapabilityError {
  return new MissingRequiredClientCapabilityError({
    requiredCapabilities: { extensions: { [tasksExtension]: {} } },
  });
}

/** The answer of a call that continues as a task, which `tasks/get` must find from now on. */
export function createdTask(task: ProtocolTask) {
  return { resultType: "task", ...task, content: [] };
}

/** Answers clients' requests about tasks. */
export function serveTasks({ server }: McpServer, tasks: TaskSource): void {
  server.setRequestHandler("tasks/get", { params: anyParams }, async (params, request) => {
    if (!takesTasks(request)) throw tasksRequired();
    const { taskId } = paramsOf(one, params);
    const task = await tasks.get(taskId, request);
    return task ? { ...task } : unknownTask(taskId);
  });
  server.setRequestHandler("tasks/update", { params: anyParams }, async (params, request) => {
    if (!takesTasks(request)) throw tasksRequired();
    const { taskId, inputResponses: given } = paramsOf(updated, params);
    // The SDK removes the responses from what a handler sees.
    const inputResponses = { ...given, ...request.mcpReq.inputResponses };
    return (await tasks.update(taskId, inputResponses)) ? {} : unknownTask(taskId);
  });
  server.setRequestHandler("tasks/cancel", { params: anyParams }, async (params, request) => {
    if (!takesTasks(request)) throw tasksRequired();
    const { taskId } = paramsOf(one, params);
    return (await tasks.cancel(taskId)) ? {} : unknownTask(taskId);
  });
}

const one = z.object({ taskId: z.string().min(1) });
const updated = one.extend({ inputResponses: z.record(z.string(), z.unknown()).default({}) });

function unknownTask(taskId: string): never {
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no task ${cut(taskId, 100)}.`);
}
