// `retry`: resumes an interrupted batch, and reruns what failed.
import { retryBatch } from "../../operations/retry.ts";
import { batchPositional, commandOf } from "./command.ts";
import { taskNumbersPositional } from "./task-numbers.ts";

export const retry = commandOf(retryBatch, {
  name: "retry",
  otherNames: ["rerun", "resume", "continue", "restart"],
  description:
    "Resumes an interrupted batch, and reruns tasks that failed or were cancelled. Tasks that succeeded keep their results and cost nothing more. Answers at once; follow the batch with `wait` or `watch`.",
  examples: [
    ["retry latest", "Rerun what failed or was interrupted"],
    ["retry b4k2 3 5", "Rerun two of its tasks"],
    ["retry b4k2 --only interrupted", "Only resume it"],
  ],
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nSee it with \`parallel-claude-code-mcp show ${batchId}\`.`,
});
