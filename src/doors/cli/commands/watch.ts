// `watch`: shows a batch while it runs, whatever started it.
import { batchInput } from "../../../operations/batch-input.ts";
import type { BatchProgress } from "../../../operations/batches.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import { batchPositional, type Command, checkUsage, jsonFlag, lineOfJson } from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import type { Printer } from "../terminal/terminal.ts";
import { showUntilEnd } from "../view/follow-view.ts";
import { endText, followedStatus, leftText, ring } from "../view/followed-end.ts";
import { headingOf } from "../view/headings.ts";

export const watch: Command = {
  name: "watch",
  otherNames: ["follow", "attach", "monitor", "top"],
  summary: "Watch a batch while it runs",
  description:
    "Shows a batch while it runs: a line for each running session with its activity, counts, cost and time left. Tasks that have ended scroll above. Piped, it prints a line for each task as it ends; with --json, a line of JSON (the answer of `wait --json`) at the beginning, whenever something has changed, and at the end. Ctrl-C only stops watching; the batch continues. Exit status: 0 if all tasks succeeded, 1 if some did not or the batch was interrupted, 4 if it has paused after its sample, 130 if you pressed Ctrl-C, 143 after SIGTERM.",
  examples: [
    ["watch latest", "Watch the newest batch"],
    ["watch b4k2 --json | jq .counts", "Print its progress as JSON"],
  ],
  input: batchInput,
  withoutFlags: ["batchId"],
  own: jsonFlag,
  positionals: [batchPositional],
  run: async (asked) => {
    using leaving = new Leaving();
    const { context, terminal } = asked;
    const { out } = terminal;
    const { signal } = leaving;
    const batch = await FollowedBatch.open(context, checkUsage(batchInput, asked.input).batchId);
    if (asked.own["json"] === true) {
      const end = await printReports(batch, out, signal);
      return leaving.status ?? followedStatus(end);
    }
    await out.tell(headingOf(batch.state));
    await showUntilEnd(batch, out, signal);
    const end = batch.progress();
    if (leaving.status !== undefined) {
      await out.tell(leftText(end));
      return leaving.status;
    }
    await out.tell(endText(batch.state, end));
    await ring(context, out);
    return followedStatus(end);
  },
};

// A line now, and one after every change.
async function printReports(batch: FollowedBatch, out: Printer, signal: AbortSignal): Promise<BatchProgress> {
  let last = batch.progress();
  for await (const report of batch.reports(signal)) {
    await out.print(lineOfJson(report));
    last = report;
  }
  return last;
}
