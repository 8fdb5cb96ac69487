// `continue`: runs the rest of a batch that has paused after its sample.
import { product } from "../../../model/product.ts";
import { continueBatch } from "../../../operations/continue.ts";
import { batchPositional, commandOf } from "../input/command.ts";

export const continueCommand = commandOf(continueBatch, {
  name: "continue",
  otherNames: ["proceed", "go", "approve", "unpause"],
  description:
    "Runs the rest of a batch that has paused after its sample (`run --sample`). Tasks of the sample keep their results. Answers at once; follow the batch with `wait` or `watch`.",
  examples: [
    ["continue latest", "Run the rest of the newest batch"],
    ["continue b4k2 --batch-budget-usd 20 --concurrency 8", "With another budget, and more sessions at once"],
  ],
  positionals: [batchPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nSee it with \`${product.name} show ${batchId}\`.`,
});
