// `wait`: waits until a batch has ended, with a line for each task as it ends.
import { z } from "zod";
import { exitText } from "../../../model/exit-status.ts";
import { batchInput } from "../../../operations/batch-input.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import { batchOrLatest, type Command, checkUsage, jsonFlag } from "../input/command.ts";
import { endFlags } from "./end-flags.ts";
import { followedToItsEnd } from "./followed.ts";

const own = z.object({ ...endFlags.shape, json: jsonFlag.shape.json });

export const wait: Command = {
  name: "wait",
  summary: "Wait until a batch ends",
  description: `Waits until a batch ends, and prints a line for each task as it ends. Stopping this command does not stop the batch. ${exitText("success", "failure", "paused", "interrupted", "terminated")}`,
  examples: [
    ["wait latest && deploy", "Continue only if all tasks succeeded"],
    ["wait latest --fail-on 5% --quiet", "Accept a few failures, and print only how it ended"],
    ["wait b4k2 --json", "Print how it ended as JSON"],
  ],
  input: batchInput,
  withoutFlags: ["batchId"],
  own,
  positionals: [batchOrLatest],
  run: async (asked) => {
    const flags = checkUsage(own, asked.own);
    const batch = await FollowedBatch.open(asked.context, checkUsage(batchInput, asked.input).batchId);
    return followedToItsEnd(asked, batch, flags);
  },
};
