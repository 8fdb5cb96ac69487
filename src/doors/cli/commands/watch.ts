// `watch`: shows a batch while it runs, whatever started it.
import { exitStatusOf } from "../../../model/batch-end.ts";
import { batchInput } from "../../../operations/batch-input.ts";
import type { BatchProgress } from "../../../operations/batches.ts";
import { continueBatch } from "../../../operations/continue.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import { perform } from "../../../operations/perform.ts";
import {
  batchPositional,
  type Command,
  checkUsage,
  commandCall,
  type Invocation,
  jsonFlag,
  lineOfJson,
} from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import type { Printer } from "../terminal/terminal.ts";
import { asksForRest } from "../view/asks-for-rest.ts";
import { showUntilEnd } from "../view/follow-view.ts";
import { endText, followedStatus, leftText, ring } from "../view/followed-end.ts";
import { headingOf } from "../view/headings.ts";

export const watch: Command = {
  name: "watch",
  otherNames: ["follow", "attach", "monitor", "top"],
  summary: "Watch a batch while it runs",
  description:
    "Shows a batch while it runs: a line for each running session with its activity, counts, cost and time left. Tasks that have ended scroll above. Piped, it prints a line for each task as it ends; with --json, a line of JSON (the answer of `wait --json`) at the beginning, whenever something has changed, and at the end. In a terminal, it asks whether to run the rest of a batch that has paused after its sample. Ctrl-C only stops watching; the batch continues. Exit status: 0 if all tasks succeeded, 1 if some did not or the batch was interrupted, 4 if it has paused after its sample, 130 if you pressed Ctrl-C, 143 after SIGTERM.",
  examples: [
    ["watch latest", "Watch the newest batch"],
    ["watch b4k2 --json | jq .counts", "Print its progress as JSON"],
  ],
  input: batchInput,
  withoutFlags: ["batchId"],
  own: jsonFlag,
  positionals: [batchPositional],
  run: async (asked) => {
    const { context, terminal } = asked;
    const { out } = terminal;
    const batch = await FollowedBatch.open(context, checkUsage(batchInput, asked.input).batchId);
    if (asked.own["json"] === true) {
      using leaving = new Leaving();
      const end = await printReports(batch, out, leaving.signal);
      return leaving.status ?? followedStatus(end);
    }
    for (;;) {
      const status = await watched(batch, asked);
      const { batchId, state } = batch.progress();
      if (state !== "paused" || status !== pausedStatus || !asksForRest(terminal)) return status;
      await out.tell((await perform(context, continueBatch, { batchId }, commandCall())).message);
    }
  },
};

const pausedStatus = exitStatusOf({ kind: "paused" });

// Until it has ended or paused. No signal is taken afterwards: while a question waits for its answer, Ctrl-C ends the command.
async function watched(batch: FollowedBatch, { context, terminal: { out } }: Invocation): Promise<number> {
  using leaving = new Leaving();
  await out.tell(headingOf(batch.state));
  await showUntilEnd(batch, out, leaving.signal);
  const end = batch.progress();
  if (leaving.status !== undefined) {
    await out.tell(leftText(end));
    return leaving.status;
  }
  await out.tell(endText(batch.state, end));
  await ring(context, out);
  return followedStatus(end);
}

// A line now, and one after every change.
async function printReports(batch: FollowedBatch, out: Printer, signal: AbortSignal): Promise<BatchProgress> {
  let last = batch.progress();
  for await (const report of batch.reports(signal)) {
    await out.print(lineOfJson(report));
    last = report;
  }
  return last;
}
