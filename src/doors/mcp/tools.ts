// The operations as MCP tools.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { cut } from "../../model/cut.ts";
import { UserError } from "../../operations/context.ts";
import { nearest } from "../../operations/faults.ts";
import { type Call, ConnectionLost, type Tool } from "../../operations/operation.ts";
import { perform, performStart } from "../../operations/perform.ts";
import { spawnParallel } from "../../operations/spawn.ts";
import { tools } from "../../operations/tools.ts";
import { troubleText } from "../../operations/trouble.ts";
import { messageOf } from "../../platform/system-error.ts";
import { type Connection, clientName, limitsFor } from "./connection.ts";
import { inputJsonSchema, outputJsonSchema } from "./json-schema.ts";
import { createdTask, takesTasks } from "./task-extension.ts";
import { startedTask } from "./tasks.ts";
import { errorResult, toolResult } from "./tool-result.ts";

/**
 * Claude Code shows a preview of longer answers, unless a tool declares that it needs more; ours have at most 100,000.
 */
const claudeCodeCharacters = 150_000;
const longAnswers = ["spawn_claude_session", "spawn_parallel_claude_sessions", "read_batch_results"];
/**
 * The main reason to install the server. Claude Code hides the other tools behind a search, so this one describes the
 * options of all.
 */
const main = spawnParallel;

/**
 * Lists and calls. The SDK's own registry would check input and output again: operations check their input themselves, so
 * that all faults come in one message with the nearest known names.
 */
export function serveTools(server: McpServer, connection: Connection): void {
  const { calls } = connection;
  server.server.setRequestHandler("tools/list", () => ({ tools: listed() }));
  server.server.setRequestHandler("tools/call", async ({ params }, request) => {
    const tool = toolNamed(params.name);
    const answering = answer(server, connection, { tool, input: params.arguments ?? {}, request });
    calls.add(answering);
    try {
      return await answering;
    } finally {
      calls.delete(answering);
    }
  });
}

// Creating the schemas takes a while, and they never change.
let list: ReturnType<typeof toolsAsListed> | undefined;
function listed() {
  list ??= toolsAsListed();
  return list;
}

function toolsAsListed() {
  return tools.map((tool) => ({
    name: tool.name,
    description: `${tool.when} ${tool.description}`,
    inputSchema: {
      ...inputJsonSchema(tool.input, tool === main ? undefined : main.input),
      type: "object" as const,
    },
    outputSchema: { ...outputJsonSchema(tool.output), type: "object" as const },
    // Clients of every era look for it here.
    annotations: { title: tool.title, ...tool.annotations },
    ...hintsFor(tool.name),
  }));
}

function hintsFor(name: string) {
  const hints = {
    ...(longAnswers.includes(name) ? { "anthropic/maxResultSizeChars": claudeCodeCharacters } : {}),
    ...(name === main.name ? { "anthropic/alwaysLoad": true } : {}),
  };
  return Object.keys(hints).length > 0 ? { _meta: hints } : {};
}

function toolNamed(name: string): Tool {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool) return tool;
  const names = tools.map((candidate) => candidate.name);
  const near = nearest(name, names);
  const meant = near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}?`;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${cut(name, 100)} not found; ${meant}`);
}

interface ToolCall {
  tool: Tool;
  input: unknown;
  request: ServerContext;
}

async function answer(server: McpServer, connection: Connection, { tool, input, request }: ToolCall) {
  const { context } = connection;
  try {
    const call: Call = {
      ...callOf(request, connection),
      client: clientName(server, request),
      limits: limitsFor(server, request, connection),
    };
    if (tool.start && takesTasks(request)) {
      const batchId = await performStart(context, tool, { input, client: call.client });
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

function callOf(request: ServerContext, connection: Connection): Call {
  const { mcpReq } = request;
  const token = mcpReq._meta?.progressToken;
  return {
    signal: endOf(request, connection),
    startedAt: performance.now(),
    progress: (progress, total, message) => {
      if (token === undefined || mcpReq.signal.aborted) return;
      const params = { progressToken: token, progress, total, message };
      // A client that has gone is noticed by the end of input.
      mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
    },
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
