// `wait`: waits until a batch has ended, with a line for each task as it ends.
import type { BatchState } from "../../../model/state.ts";
import { batchInput } from "../../../operations/batch-input.ts";
import type { BatchProgress } from "../../../operations/batches.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import {
  type Asked,
  batchPositional,
  type Command,
  checkUsage,
  jsonFlag,
  jsonText,
} from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import { endingText } from "../view/ending.ts";
import { showUntilEnd } from "../view/follow-view.ts";

export const wait: Command = {
  name: "wait",
  summary: "Wait until a batch ends",
  description:
    "Waits until a batch ends, and prints a line for each task as it ends. Stopping this command does not stop the batch. Exit status: 0 if all tasks succeeded, 1 if some did not or the batch was interrupted, 130 if you pressed Ctrl-C, 143 after SIGTERM.",
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
      await ring(asked);
    }
    return statusOf(end);
  },
};

/** The exit status of a command that followed a batch to its end. */
export function statusOf({ end }: BatchProgress): number {
  return end === "succeeded" ? 0 : 1;
}

/** Explains that the batch does not end because the command does. */
export function leftText({ batchId, message }: BatchProgress): string {
  return `Batch ${batchId} continues in the background. ${message}`;
}

/** Rings in a terminal, for a user who is looking elsewhere. */
export async function ring({ context, terminal: { out } }: Asked): Promise<void> {
  if (out.isLive && context.configuration.notifications) await out.write("\x07");
}

/** How a batch ended, in words, and what to do next. */
export function endText(state: BatchState, { batchId, state: word, outputDirectory }: BatchProgress): string {
  return `Batch ${batchId}: ${endingText(state, word)}\nResults are in ${outputDirectory}.`;
}
