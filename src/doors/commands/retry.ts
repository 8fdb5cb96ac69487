// `retry`: carries on what was interrupted, and runs again what failed.
import { retryBatch } from "../../operations/retry.ts";
import { batchPositional, commandOf } from "./command.ts";
import { taskNumbersPositional } from "./task-numbers.ts";

export const retry = commandOf(retryBatch, {
  name: "retry",
  description:
    "Carries on a batch that was interrupted, and runs tasks again that failed or were cancelled. What has succeeded is kept and not paid for again. Answers at once; `wait` and `watch` follow it.",
  examples: [
    ["retry latest", "What failed, or was interrupted"],
    ["retry b4k2 3 5", "Two of its tasks"],
    ["retry b4k2 --only interrupted", "Only carry it on"],
  ],
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nLook with \`parallel-claude-code-mcp show ${batchId}\`.`,
});
