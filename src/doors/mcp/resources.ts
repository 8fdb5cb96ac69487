// Batches as MCP resources. What lists and reads them is loaded with the first request for it.
import type { McpServer } from "@modelcontextprotocol/server";
import { uriTemplates } from "../../operations/batch-uri.ts";
import type { Connection } from "./connection.ts";

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
  server.server.setRequestHandler("resources/list", async ({ params }) => {
    const { listResources } = await import("./read-resources.ts");
    return listResources(await connection.context.get(), params?.cursor);
  });
  server.server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: templates }));
  server.server.setRequestHandler("resources/read", async ({ params }, request) => {
    const { readResource } = await import("./read-resources.ts");
    return readResource(params.uri, { server, connection, request });
  });
}
