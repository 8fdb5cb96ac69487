// `summarize`: one more session over the kept results of a batch.
import { product } from "../../../model/product.ts";
import { summarizeBatch } from "../../../operations/summarize.ts";
import { batchPositional, commandOf } from "../input/command.ts";

export const summarize = commandOf(summarizeBatch, {
  name: "summarize",
  otherNames: ["summarise", "summary", "reduce", "digest"],
  examples: [
    ['summarize latest "List the ten most serious findings"', "Have one session read all results"],
    [
      'summarize b4k2 "Which files need work?" --summarize-model opus',
      "With another model than that of the batch",
    ],
  ],
  positionals: [
    batchPositional,
    {
      property: "summarize",
      placeholder: "TEXT",
      description: "What to write about the results.",
      required: true,
      many: false,
      isTask: false,
    },
  ],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nRead the summary with \`${product.name} results ${batchId}\`, once \`${product.name} wait ${batchId}\` has ended.`,
});
