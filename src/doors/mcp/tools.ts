// The operations as MCP tools: listed, and called.
import type { ListToolsResult, McpServer } from "@modelcontextprotocol/server";
import { printedBy } from "../../platform/printed.ts" with { type: "macro" };
import type { Connection } from "./connection.ts";

/**
 * Lists and calls. The SDK's own registry would check input and output again: operations check their input themselves, so
 * that all faults come in one message with the nearest known names.
 */
export function serveTools(server: McpServer, connection: Connection): void {
  const { calls } = connection;
  server.server.setRequestHandler("tools/list", () => ({ tools: listed() }));
  server.server.setRequestHandler("tools/call", async ({ params }, request) => {
    const { name, arguments: input = {} } = params;
    const call = { name, input, startedAt: performance.now() };
    const answering = import("./call-tool.ts").then(({ callTool }) =>
      callTool(call, { server, connection, request }),
    );
    calls.add(answering);
    try {
      return await answering;
    } finally {
      calls.delete(answering);
    }
  });
}

// Made when the program is built, so that a server lists its tools without the operations and their schemas.
const text = printedBy("doors/mcp/listed-tools.ts");

// Taken apart once for all connections.
let list: ListToolsResult["tools"] | undefined;
function listed(): ListToolsResult["tools"] {
  list ??= JSON.parse(text);
  return list ?? [];
}
