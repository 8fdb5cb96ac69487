// `compare`: two batches, or the variants of one, task by task.
import { z } from "zod";
import { compareBatches } from "../../../operations/compare/compare.ts";
import { writeComparison } from "../../../operations/compare/comparison-page.ts";
import { batchPositional, type Command, commandOf, type Positional, pagerFlag } from "../input/command.ts";
import { comparisonText } from "../view/comparison-text.ts";
import { pageFaceOf } from "./page-face.ts";

/** In a terminal, more tasks would only push the first ones away. */
const mostShown = 100;

const otherPositional: Positional = {
  property: "otherBatchId",
  placeholder: "OTHER",
  description: "The later batch. Without it, the variants within one batch are compared.",
  required: false,
  many: false,
  isTask: false,
};

const pageOptions = writeComparison.input.shape;

const own = z.object({
  json: z
    .boolean()
    .meta({ description: "Print the result as JSON, with the tasks that are the same." })
    .optional(),
  page: pageOptions.page,
  open: pageOptions.open,
  full: z
    .boolean()
    .meta({ description: "Show whole differences. Otherwise only their first lines." })
    .optional(),
  pager: pagerFlag.shape.pager,
});

const face = commandOf(compareBatches, {
  name: "compare",
  otherNames: ["diff", "cmp"],
  description:
    "Compares two batches by key, or without keys, by prompt: which tasks are new, gone or the same, which answers changed and how, which tasks ended in another way, and what both cost and took. With one batch whose tasks differ only in options, such as the model, it compares these side by side. What matters most comes first.",
  examples: [
    ["compare b4k2 latest", "Show what differs between two batches"],
    ["compare b4k2 latest --only changed --full", "Show all changed answers, with whole differences"],
    ["compare b4k2 latest --open", "Show them side by side in the browser"],
    ["compare latest", "Compare the variants in a batch, such as its models"],
    ["compare b4k2 latest --json", "Print the whole comparison as JSON"],
  ],
  positionals: [{ ...batchPositional, description: "The earlier batch." }, otherPositional],
  isWrapped: true,
  isPaged: true,
  present: (comparison, { own: { full }, input, terminal: { out } }) =>
    comparisonText(comparison, { out, isFull: full === true, offset: Number(input["offset"] ?? 0) }),
});

const pageFace = pageFaceOf("compare", writeComparison);

export const compare: Command = {
  ...face,
  own,
  run: (asked) => {
    if (pageFace.isAsked(asked)) return pageFace.run(asked);
    const usual = asked.own["json"] === true ? { only: "all" } : { limit: mostShown };
    return face.run({ ...asked, input: { ...usual, ...asked.input } });
  },
};
