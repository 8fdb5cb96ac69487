// What a server knows of its client.
import { CLIENT_INFO_META_KEY, type McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ContextAtFirstUse } from "./context-at-first-use.ts";

/** What the server of one connection may use. */
export interface Connection {
  context: ContextAtFirstUse;
  /** Its protocol: since 2026-07-28, or before. */
  era: "legacy" | "modern";
  /** The client's, if it started us. */
  environment?: Record<string, string | undefined>;
  /** Aborted with a `ClientEnded` when the client has gone: nobody waits any more. */
  client: AbortSignal;
  /** The calls in progress; a closing door lets them finish. */
  calls: Set<Promise<unknown>>;
}

const named = z.object({ [CLIENT_INFO_META_KEY]: z.object({ name: z.string() }) });

/** The client's name: since 2026-07-28 in each request, before that once for the connection. */
export function clientName(server: McpServer, { mcpReq }: ServerContext): string | undefined {
  const inRequest = named.safeParse(mcpReq.envelope);
  if (inRequest.success) return inRequest.data[CLIENT_INFO_META_KEY].name;
  return server.server.getClientVersion()?.name;
}
