// `watch`: shows a batch while it runs, whatever started it.
import { z } from "zod";
import { exitStatuses, exitText } from "../../../model/exit-status.ts";
import { batchInput } from "../../../operations/batch-input.ts";
import type { BatchProgress } from "../../../operations/batches.ts";
import { continueBatch } from "../../../operations/continue.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import { perform } from "../../../operations/perform.ts";
import {
  batchOrLatest,
  type Command,
  checkUsage,
  commandCall,
  type Invocation,
  jsonFlag,
  lineOfJson,
} from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import type { Printer, Terminal } from "../terminal/terminal.ts";
import { asksForRest } from "../view/asks-for-rest.ts";
import { showUntilEnd } from "../view/follow-view.ts";
import { endText, leftText, ring } from "../view/followed-end.ts";
import { headingOf } from "../view/headings.ts";
import { type EndFlags, endFlags, endStatus, reportEnd } from "./end-flags.ts";

const own = z.object({ ...endFlags.shape, json: jsonFlag.shape.json });

export const watch: Command = {
  name: "watch",
  otherNames: ["follow", "attach", "monitor", "top"],
  summary: "Watch a batch while it runs",
  description: `Shows a batch while it runs: a line for each running session with its activity, counts, cost and time left. Tasks that have ended scroll above. Piped, it prints a line for each task as it ends; with --json, a line of JSON (the answer of \`wait --json\`) at the beginning, whenever something has changed, and at the end. In a terminal, it asks whether to run the rest of a batch that has paused. There, keys pause the batch, change how many sessions run at once, cancel it, rerun what failed, and open its page: \`?\` shows them. Ctrl-C only stops watching; the batch continues. ${exitText("success", "failure", "paused", "interrupted", "terminated")}`,
  examples: [
    ["watch latest", "Watch the newest batch"],
    ["watch b4k2 --json | jq .counts", "Print its progress as JSON"],
  ],
  input: batchInput,
  withoutFlags: ["batchId"],
  own,
  positionals: [batchOrLatest],
  run: async (asked) => {
    const { context, terminal } = asked;
    const { out } = terminal;
    const batch = await FollowedBatch.open(context, checkUsage(batchInput, asked.input).batchId);
    const flags = checkUsage(own, asked.own);
    if (flags.json) {
      using leaving = new Leaving();
      const end = await printReports(batch, out, leaving.signal);
      return leaving.status ?? (await ended(batch, end, { flags, terminal }));
    }
    for (;;) {
      const status = await watched(batch, asked, flags);
      const { batchId, state } = batch.progress();
      if (state !== "paused" || status !== pausedStatus || !asksForRest(terminal)) return status;
      await out.tell((await perform(context, continueBatch, { batchId }, commandCall())).message);
    }
  },
};

const pausedStatus = exitStatuses.paused.status;

// Until it has ended or paused. No signal is taken afterwards: while a question waits for its answer, Ctrl-C ends the command.
async function watched(
  batch: FollowedBatch,
  { context, terminal }: Invocation,
  flags: EndFlags,
): Promise<number> {
  using leaving = new Leaving();
  const { out } = terminal;
  const { quiet = false } = flags;
  if (!quiet) await out.tell(headingOf(batch.state));
  await showUntilEnd(batch, out, leaving.signal, { isQuiet: quiet, keysFor: context });
  const end = batch.progress();
  if (leaving.status !== undefined) {
    await out.tell(leftText(end));
    return leaving.status;
  }
  await out.tell(endText(batch.state, end, out));
  await ring(context, out);
  return ended(batch, end, { flags, terminal });
}

async function ended(
  { state }: FollowedBatch,
  { end, state: word }: BatchProgress,
  { flags, terminal: { err } }: { flags: EndFlags; terminal: Terminal },
): Promise<number> {
  await reportEnd(flags, { state, word, err });
  return endStatus(flags, end && { kind: end }, state);
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
