// What a server knows of who is connected to it.
import { CLIENT_INFO_META_KEY, type McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { type ClientLimits, limitsOf } from "../../operations/clients.ts";
import type { Context } from "../../operations/context.ts";

/** What the server of one connection may use. */
export interface Connection {
  context: Context;
  /** Which protocol it speaks: since 2026-07-28, or before. */
  era: "legacy" | "modern";
  /** The client's, where it has started us. */
  environment?: Record<string, string | undefined>;
  /** Aborted, by a `ClientEnded`, when the client has gone: nobody waits any more. */
  client: AbortSignal;
  /** The calls in progress; a door that closes lets them say goodbye. */
  calls: Set<Promise<unknown>>;
}

const named = z.object({ [CLIENT_INFO_META_KEY]: z.object({ name: z.string() }) });

/** Who asks: since 2026-07-28 each request says so, before that the connection did once. */
export function clientName(server: McpServer, { mcpReq }: ServerContext): string | undefined {
  const inRequest = named.safeParse(mcpReq.envelope);
  if (inRequest.success) return inRequest.data[CLIENT_INFO_META_KEY].name;
  return server.server.getClientVersion()?.name;
}

/** The limits of the client that asks. Throws `UserError` when the configuration is broken. */
export function limitsFor(
  server: McpServer,
  request: ServerContext,
  { context, environment }: Pick<Connection, "context" | "environment">,
): ClientLimits {
  return limitsOf({ name: clientName(server, request), environment }, context.inForce);
}
