// Calls of tools: loaded with the first one.
import { ProtocolError, ProtocolErrorCode, type ServerContext } from "@modelcontextprotocol/server";
import { cut } from "../../model/cut.ts";
import { spanContextFrom } from "../../model/trace.ts";
import { UserError } from "../../operations/context.ts";
import { nearest } from "../../operations/nearest.ts";
import { type Call, ConnectionLost } from "../../operations/operation.ts";
import { perform, performStart } from "../../operations/perform.ts";
import { toolNamed, toolNames } from "../../operations/tool-named.ts";
import { troubleText } from "../../operations/trouble.ts";
import { messageOf } from "../../platform/system-error.ts";
import { type Connection, clientName } from "./connection.ts";
import { limitsFor, type Request } from "./limits.ts";
import { createdTask, takesTasks } from "./task-extension.ts";
import { startedTask } from "./task-of-batch.ts";
import { errorResult, toolResult } from "./tool-result.ts";

/** What was called. */
export interface ToolCall {
  name: string;
  input: unknown;
  /** When the call came, on the monotonic clock, in milliseconds. */
  startedAt: number;
}

/** Calls a tool, and answers with its result, with what is wrong, or with a task. Throws if there is no such tool. */
export async function callTool({ name, input, startedAt }: ToolCall, from: Request) {
  const { server, connection, request } = from;
  const tool = (await toolNamed(name)) ?? refuseName(name);
  try {
    const context = await connection.context.get();
    const call: Call = {
      startedAt,
      signal: endOf(request, connection),
      progress: progressOf(request),
      client: clientName(server, request),
      within: spanOf(request),
      limits: limitsFor(from, context),
    };
    if (tool.start && takesTasks(request)) {
      const batchId = await performStart(context, tool, { input, caller: call });
      if (batchId !== undefined) return createdTask(startedTask(context, batchId));
    }
    return toolResult(await perform(context, tool, input, call));
  } catch (error) {
    if (error instanceof UserError) return errorResult(error.message);
    const trouble = troubleText(error);
    if (trouble !== undefined) return errorResult(trouble);
    console.error(error);
    return errorResult(messageOf(error));
  }
}

function refuseName(name: string): never {
  const near = nearest(name, toolNames);
  const meant = near === undefined ? `there are ${toolNames.join(", ")}` : `did you mean ${near}?`;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${cut(name, 100)} not found; ${meant}`);
}

// As the protocol reserves it: W3C Trace Context.
function spanOf({ mcpReq }: ServerContext): Call["within"] {
  const traceparent = mcpReq._meta?.["traceparent"];
  return typeof traceparent === "string" ? spanContextFrom(traceparent) : undefined;
}

function progressOf({ mcpReq }: ServerContext): Call["progress"] {
  const token = mcpReq._meta?.progressToken;
  return (progress, total, message) => {
    if (token === undefined || mcpReq.signal.aborted) return;
    const params = { progressToken: token, progress, total, message };
    // A client that has gone is noticed by the end of input.
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
  };
}

/** What ends a call early: a cancellation, the end of the client, or of its connection. */
function endOf({ mcpReq, http }: ServerContext, { client, era }: Connection): AbortSignal {
  const own = AbortSignal.any([mcpReq.signal, client]);
  // Since 2026-07-28, a client cancels by closing the connection. Before, it must say so, and a lost connection cancels
  // nothing.
  if (era === "modern" || !http?.req) return own;
  const connection = http.req.signal;
  const ended = new AbortController();
  const end = () => {
    if (client.aborted) ended.abort(client.reason);
    // The SDK closes a server for one request when its connection closes. The reason of a cancellation is a text, or
    // absent.
    else if (connection.aborted || mcpReq.signal.reason instanceof Error) ended.abort(new ConnectionLost());
    else ended.abort(mcpReq.signal.reason);
  };
  const either = AbortSignal.any([own, connection]);
  if (either.aborted) end();
  else either.addEventListener("abort", end, { once: true });
  return ended.signal;
}
