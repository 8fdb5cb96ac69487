// An MCP server of ours: what every door that speaks MCP serves, one for each connection.
import { McpServer } from "@modelcontextprotocol/server";
import { product } from "../../model/product.ts";
import type { Context } from "../../operations/context.ts";
import { instructions } from "./instructions.ts";
import { registerTools } from "./tools.ts";

/** What the server of one connection may use. */
export interface Connection {
  context: Context;
  /** Aborted, by a `ClientEnded`, when the client has gone: nobody waits any more. */
  client: AbortSignal;
  /** The calls in progress; a door that closes lets them say goodbye. */
  calls: Set<Promise<unknown>>;
}

/** A server for one connection, or for one request. Nothing is opened before the first call. */
export function newServer(connection: Connection): McpServer {
  const server = new McpServer(
    { name: product.name, title: "Parallel Claude Code", version: product.version },
    { instructions, capabilities: { tools: {} } },
  );
  registerTools(server, connection);
  return server;
}
