// `cancel`: ends a batch, or some of its tasks.
import { cancelBatch } from "../../operations/batches.ts";
import { batchPositional, commandOf } from "./command.ts";

export const cancel = commandOf(cancelBatch, {
  name: "cancel",
  positionals: [
    batchPositional,
    {
      property: "tasks",
      placeholder: "N",
      description: "Only these tasks, by number.",
      required: false,
      many: true,
      numeric: true,
    },
  ],
  present: ({ batchId, state, message, outputDirectory }) =>
    `Batch ${batchId} is ${state}. ${message}\nResults are in ${outputDirectory}.`,
});
