// `wait`: waits until a batch has ended, with a line for each task as it ends.
import { batchInput } from "../../../operations/batch-input.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import { batchPositional, type Command, checkUsage, jsonFlag, jsonText } from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import { showUntilEnd } from "../view/follow-view.ts";
import { endText, followedStatus, leftText, ring } from "../view/followed-end.ts";

export const wait: Command = {
  name: "wait",
  summary: "Wait until a batch ends",
  description:
    "Waits until a batch ends, and prints a line for each task as it ends. Stopping this command does not stop the batch. Exit status: 0 if all tasks succeeded, 1 if some did not or the batch was interrupted, 4 if it has paused after its sample, 130 if you pressed Ctrl-C, 143 after SIGTERM.",
  examples: [
    ["wait latest && deploy", "Continue only if all tasks succeeded"],
    ["wait b4k2 --json", "Print how it ended as JSON"],
  ],
  input: batchInput,
  withoutFlags: ["batchId"],
  own: jsonFlag,
  positionals: [batchPositional],
  run: async (asked) => {
    using leaving = new Leaving();
    const { signal } = leaving;
    const { context, terminal } = asked;
    const json = asked.own["json"] === true;
    const batch = await FollowedBatch.open(context, checkUsage(batchInput, asked.input).batchId);
    await showUntilEnd(batch, json ? terminal.err : terminal.out, signal);
    const end = batch.progress();
    if (leaving.status !== undefined) {
      await terminal.err.tell(leftText(end));
      return leaving.status;
    }
    if (json) await terminal.out.print(jsonText(end));
    else {
      await terminal.out.tell(endText(batch.state, end));
      await ring(context, terminal.out);
    }
    return followedStatus(end);
  },
};
