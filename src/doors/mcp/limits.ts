// How long the client of a request waits, and how long an answer may be for it.
import type { McpServer, ServerContext } from "@modelcontextprotocol/server";
import { type ClientLimits, limitsOf } from "../../operations/client-limits.ts";
import type { Context } from "../../operations/context.ts";
import { type Connection, clientName } from "./connection.ts";

/** A request, and who got it. */
export interface Request {
  server: McpServer;
  connection: Connection;
  request: ServerContext;
}

/** The limits of the calling client. Throws `UserError` if the configuration is broken. */
export function limitsFor({ server, connection, request }: Request, context: Context): ClientLimits {
  const { environment } = connection;
  return limitsOf({ name: clientName(server, request), environment }, context.inForce);
}
