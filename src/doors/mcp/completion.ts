// Completes what a user types: batches and task numbers, in addresses and in the arguments of prompts.
import type { McpServer } from "@modelcontextprotocol/server";
import type { Connection } from "./connection.ts";

/** The protocol's limit for one answer. */
const mostValues = 100;

export function serveCompletion(server: McpServer, connection: Connection): void {
  server.server.setRequestHandler("completion/complete", async ({ params }) => {
    const { ref, argument, context: given } = params;
    const [context, { valuesFor }] = await Promise.all([
      connection.context.get(),
      import("./completed-values.ts"),
    ]);
    const completed = { ref, argument: argument.name, given: given?.arguments ?? {} };
    const values = valuesFor(context, completed, mostValues).filter((value) =>
      value.startsWith(argument.value),
    );
    const more = values.length > mostValues;
    return { completion: { values: values.slice(0, mostValues), total: values.length, hasMore: more } };
  });
}
