// `continue`: runs the rest of a batch that has paused.
import { product } from "../../../model/product.ts";
import { continueBatch } from "../../../operations/continue.ts";
import { batchPositional, type Command, checkUsage, commandOf, jsonFlag } from "../input/command.ts";
import { isToWait, startedAndFollowed, startedQuietly, waitFlags } from "./followed.ts";

const face = commandOf(continueBatch, {
  name: "continue",
  otherNames: ["proceed", "go", "approve", "unpause"],
  description:
    "Runs the rest of a batch that has paused: after its sample (`run --sample`), or by `change --pause`. Tasks that have ended keep their results. Answers at once; follow the batch with `wait` or `watch`, or add `--wait`.",
  examples: [
    ["continue latest", "Run the rest of the newest batch"],
    ["continue b4k2 --batch-budget-usd 20 --concurrency 8", "With another budget, and more sessions at once"],
  ],
  positionals: [batchPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nSee it with \`${product.name} show ${batchId}\`.`,
});

const own = jsonFlag.extend(waitFlags.shape);

export const continueCommand: Command = {
  ...face,
  own,
  run: (asked) => {
    const flags = checkUsage(own, asked.own);
    if (isToWait(flags)) return startedAndFollowed(asked, continueBatch, flags);
    return flags.quiet && !flags.json ? startedQuietly(asked, continueBatch) : face.run(asked);
  },
};
