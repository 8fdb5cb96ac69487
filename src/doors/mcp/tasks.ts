// Batches as tasks of the protocol. What finds and cancels them is loaded with the first request about one.
import type { McpServer } from "@modelcontextprotocol/server";
import type { Connection } from "./connection.ts";
import type { TaskSource } from "./task-extension.ts";

/** The batches of the store. */
export function batchTasks(server: McpServer, connection: Connection): TaskSource {
  const { context } = connection;
  const loaded = () => import("./task-of-batch.ts");
  return {
    get: async (taskId, request) => (await loaded()).detailedTask(taskId, { server, connection, request }),
    // No session requests any input.
    update: async (taskId) => (await loaded()).isTask(await context.get(), taskId),
    cancel: async (taskId) => (await loaded()).cancelTask(await context.get(), taskId),
  };
}
