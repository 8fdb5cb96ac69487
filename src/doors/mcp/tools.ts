// The operations as MCP tools.
import type { McpServer, ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { type Context, Fault } from "../../operations/context.ts";
import type { Call, Operation } from "../../operations/operation.ts";
import { perform } from "../../operations/perform.ts";
import { tools } from "../../operations/tools.ts";
import { inputJsonSchema, outputJsonSchema } from "../json-schema.ts";
import type { Connection } from "./server.ts";

export function registerTools(server: McpServer, { context, client, calls }: Connection): void {
  for (const tool of tools) {
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: unchecked(inputJsonSchema(tool.input)),
        outputSchema: unchecked(outputJsonSchema(tool.output)),
        annotations: { title: tool.title, ...tool.annotations },
      },
      async (input, request) => {
        const answering = answer(context, tool, input, callOf(request, client));
        calls.add(answering);
        try {
          return await answering;
        } finally {
          calls.delete(answering);
        }
      },
    );
  }
}

// The operation checks its input itself: all faults in one message, with the nearest known names. The SDK is
// only told what the schema looks like.
function unchecked(jsonSchema: Record<string, unknown>) {
  return {
    "~standard": {
      version: 1,
      vendor: "parallel-claude-code-mcp",
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: () => jsonSchema, output: () => jsonSchema },
    },
  } as const;
}

async function answer(context: Context, tool: Operation, input: unknown, call: Call) {
  try {
    const output = await perform(context, tool, input ?? {}, call);
    // Some clients hand the model only the text, others only the data, so each is complete.
    const structuredContent = z.record(z.string(), z.unknown()).parse(output);
    return { content: [{ type: "text" as const, text: JSON.stringify(output) }], structuredContent };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { content: [{ type: "text" as const, text: error.message }], isError: true };
  }
}

function callOf({ mcpReq }: ServerContext, client: AbortSignal): Call {
  const token = mcpReq._meta?.progressToken;
  return {
    signal: AbortSignal.any([mcpReq.signal, client]),
    startedAt: performance.now(),
    progress: (progress, total, message) => {
      if (token === undefined || mcpReq.signal.aborted) return;
      const params = { progressToken: token, progress, total, message };
      // A client that has gone shows by the end of input.
      mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
    },
  };
}
