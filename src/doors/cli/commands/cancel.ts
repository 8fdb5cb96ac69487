// `cancel`: cancels a batch, or some of its tasks.
import { cancelBatch } from "../../../operations/batches.ts";
import { batchPositional, commandOf, taskNumbersPositional } from "../input/command.ts";

export const cancel = commandOf(cancelBatch, {
  name: "cancel",
  otherNames: ["stop", "kill", "abort"],
  examples: [
    ["cancel latest", "Cancel the whole batch"],
    ["cancel b4k2 7 9", "Cancel two of its tasks"],
  ],
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, message, outputDirectory }) =>
    `Batch ${batchId}: ${message}\nResults are in ${outputDirectory}.`,
});
