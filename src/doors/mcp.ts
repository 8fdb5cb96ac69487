// The MCP server on standard input and output. Stateless: nothing is opened, locked or looked for before the
// first call, and two copies do not disturb each other.
import { McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";
import { product } from "../model/product.ts";
import { type Context, Fault, newContext } from "../operations/context.ts";
import { type Call, ClientEnded, type Operation } from "../operations/operation.ts";
import { perform } from "../operations/perform.ts";
import { tools } from "../operations/tools.ts";
import { inputJsonSchema, outputJsonSchema } from "./json-schema.ts";
import { StdioTransport } from "./stdio.ts";

const instructions =
  "Runs headless Claude Code sessions in parallel. Give all independent tasks to one spawn_parallel_claude_sessions call. Use asyncMode for ten tasks or more, or when each takes minutes. When an answer's state is `running`, the batch goes on by itself: ask with wait_for_batch, and read what has ended with read_batch_results. What failed or was interrupted is run again with retry_batch.";

/** How long calls in progress may take to say goodbye, in milliseconds. Clients kill 400 ms after they ask. */
const farewellMs = 300;

/** Serves until the client has gone; gives the exit status. */
export async function serve(_arguments: string[]): Promise<number> {
  const context = newContext();
  const client = new AbortController();
  const closed = Promise.withResolvers<void>();
  const transport = new StdioTransport(() => client.abort(new ClientEnded()));
  const calls = new Set<Promise<unknown>>();
  const server = serveStdio(() => newServer(context, client.signal, calls), {
    transport: onClose(transport, closed.resolve),
    onerror: () => undefined,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => closed.resolve());
  await closed.promise;
  // A sync batch has nobody to work for any more: each waiting call writes that into the log, and returns.
  client.abort(new ClientEnded());
  await Promise.race([Promise.allSettled(calls), Bun.sleep(farewellMs)]);
  await Promise.race([server.close(), Bun.sleep(farewellMs)]);
  context[Symbol.dispose]();
  return 0;
}

// The SDK puts its own `onclose` on the transport, so ours stands before it.
function onClose(transport: StdioTransport, closed: () => void): StdioTransport {
  const close = transport.close.bind(transport);
  transport.close = async () => {
    await close();
    closed();
  };
  return transport;
}

function newServer(context: Context, client: AbortSignal, calls: Set<Promise<unknown>>): McpServer {
  const server = new McpServer(
    { name: product.name, title: "Parallel Claude Code", version: product.version },
    { instructions, capabilities: { tools: {} } },
  );
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
  return server;
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
