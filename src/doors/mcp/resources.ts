// Batches as MCP resources: listed, read, and completed while their address is typed.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
} from "@modelcontextprotocol/server";
import { cut } from "../../model/cut.ts";
import { batchUri, parseBatchUri, uriTemplates } from "../../operations/batch-uri.ts";
import { UserError } from "../../operations/context.ts";
import { readDocument, recentBatches, titleInList } from "../../operations/resources.ts";
import { type Connection, limitsFor } from "./connection.ts";

const pageSize = 50;

/** The templates as listed. */
const templates = [
  {
    name: "batch",
    title: "Batch of Claude Code sessions",
    uriTemplate: uriTemplates.batch,
    description: "State, counts, cost and results of a batch.",
    mimeType: "application/json",
  },
  {
    name: "task",
    title: "Result of a task",
    uriTemplate: uriTemplates.task,
    description: "A task's answer or error text. `offset` is the character to start from.",
    mimeType: "text/plain",
  },
  {
    name: "transcript",
    title: "Transcript of a task",
    uriTemplate: uriTemplates.transcript,
    description:
      "What a task's session said and did, in Claude Code's stream-json. `offset` is the byte to start from.",
    mimeType: "application/x-ndjson",
  },
];

/** Lists and reads. Reading resumes no batch, because clients list by themselves when they start. */
export function serveResources(server: McpServer, connection: Connection): void {
  const { context } = connection;
  server.server.setRequestHandler("resources/list", ({ params }) => {
    const offset = offsetOf(params?.cursor);
    const rows = recentBatches(context, pageSize + 1, offset);
    const resources = rows.slice(0, pageSize).map((row) => ({
      uri: batchUri(row.batchId),
      name: row.batchId,
      title: titleInList(row),
      mimeType: "application/json",
      annotations: { lastModified: new Date(row.changedAt).toISOString() },
    }));
    return { resources, ...(rows.length > pageSize ? { nextCursor: String(offset + pageSize) } : {}) };
  });
  server.server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: templates }));
  server.server.setRequestHandler("resources/read", async ({ params }, request) => {
    const asked = parseBatchUri(params.uri);
    if (!asked) {
      const known = Object.values(uriTemplates).join(", ");
      throw new ResourceNotFoundError(
        params.uri,
        `There is no resource ${cut(params.uri, 200)}; expected ${known}`,
      );
    }
    try {
      const { mimeType, text } = await readDocument(context, asked, limitsFor(server, request, connection));
      return { contents: [{ uri: params.uri, mimeType, text }] };
    } catch (error) {
      if (error instanceof UserError) throw new ResourceNotFoundError(params.uri, error.message);
      throw error;
    }
  });
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The cursor is none that was given.");
}
