// Our MCP server, as every MCP door serves it: one for each connection.
import { McpServer } from "@modelcontextprotocol/server";
import { product } from "../../model/product.ts";
import { serveCompletion } from "./completion.ts";
import type { Connection } from "./connection.ts";
import { instructions } from "./instructions.ts";
import { answerInSentences } from "./plain-errors.ts";
import { servePrompts } from "./prompts.ts";
import { serveResources } from "./resources.ts";
import { serveTasks, tasksExtension } from "./task-extension.ts";
import { batchTasks } from "./tasks.ts";
import { serveTools } from "./tools.ts";
import { announceChanges, serveSubscriptions } from "./updates.ts";
import { sendingWellFormed } from "./well-formed.ts";

export type { Connection };

interface ServerManner {
  /** Whether this server itself announces changes: if it lives as long as its connection. */
  tells?: boolean;
}

/** Changes only with another version of this program, so a client of 2026-07-28 need not ask each time. */
const lasting = { ttlMs: 60 * 60_000 };

/** A server for one connection, or for one request. Nothing is opened before the first call. */
export function newServer(connection: Connection, { tells = false }: ServerManner): McpServer {
  const { era } = connection;
  const server = new McpServer(
    { name: product.name, title: "Parallel Claude Code", version: product.version },
    {
      instructions,
      cacheHints: {
        "server/discover": lasting,
        "tools/list": lasting,
        "prompts/list": lasting,
        "resources/templates/list": lasting,
      },
      capabilities: {
        tools: { listChanged: false },
        prompts: { listChanged: false },
        completions: {},
        resources: { subscribe: true, listChanged: true },
        ...(era === "modern" ? { extensions: { [tasksExtension]: {} } } : {}),
      },
    },
  );
  answerInSentences(server);
  const { server: protocol } = server;
  const connect = protocol.connect.bind(protocol);
  protocol.connect = (transport) => connect(sendingWellFormed(transport));
  serveTools(server, connection);
  servePrompts(server);
  serveResources(server, connection);
  serveCompletion(server, connection);
  if (era === "modern") serveTasks(server, batchTasks(server, connection));
  const listener = serveSubscriptions(server, era);
  if (tells) {
    const ended = new AbortController();
    server.server.onclose = () => ended.abort();
    announceChanges(connection.context, listener, ended.signal);
  }
  return server;
}
