// The operations that are MCP tools, in the order in which clients list them.
import { cancelBatch, listBatches, waitForBatch } from "./batches.ts";
import { changeBatch } from "./change.ts";
import { compareBatches } from "./compare/compare.ts";
import { continueBatch } from "./continue.ts";
import { exportBatch } from "./export.ts";
import type { Tool } from "./operation.ts";
import { readResults } from "./results.ts";
import { retryBatch } from "./retry.ts";
import { spawnParallel, spawnSession } from "./spawn.ts";

export const tools: readonly Tool[] = [
  spawnSession,
  spawnParallel,
  waitForBatch,
  readResults,
  listBatches,
  cancelBatch,
  changeBatch,
  retryBatch,
  compareBatches,
  exportBatch,
  continueBatch,
];
