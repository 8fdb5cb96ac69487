// `retry`: carries on what was interrupted, and runs again what failed.
import { retryBatch } from "../../operations/retry.ts";
import { batchPositional, commandOf } from "./command.ts";
import { taskNumbersPositional } from "./task-numbers.ts";

export const retry = commandOf(retryBatch, {
  name: "retry",
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nLook with \`parallel-claude-code-mcp show ${batchId}\`.`,
});
