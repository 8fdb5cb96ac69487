// The operations that are MCP tools, by their names, in the order in which clients list them. Each is loaded when it is first
// called: with the schemas of all, a server takes some megabytes more.
import type { Tool } from "./operation.ts";

const loads = new Map<string, () => Promise<Tool>>([
  ["spawn_claude_session", async () => (await import("./spawn.ts")).spawnSession],
  ["spawn_parallel_claude_sessions", async () => (await import("./spawn.ts")).spawnParallel],
  ["wait_for_batch", async () => (await import("./batches.ts")).waitForBatch],
  ["read_batch_results", async () => (await import("./results.ts")).readResults],
  ["list_batches", async () => (await import("./batches.ts")).listBatches],
  ["cancel_batch", async () => (await import("./batches.ts")).cancelBatch],
  ["change_batch", async () => (await import("./change.ts")).changeBatch],
  ["retry_batch", async () => (await import("./retry.ts")).retryBatch],
  ["compare_batches", async () => (await import("./compare/compare.ts")).compareBatches],
  ["export_batch", async () => (await import("./export.ts")).exportBatch],
  ["continue_batch", async () => (await import("./continue.ts")).continueBatch],
]);

/** The names of all tools. */
export const toolNames: readonly string[] = [...loads.keys()];

/** The tool with this name; undefined if there is none. */
export async function toolNamed(name: string): Promise<Tool | undefined> {
  return loads.get(name)?.();
}

/** All tools. */
export function allTools(): Promise<Tool[]> {
  return Promise.all([...loads.values()].map((load) => load()));
}
