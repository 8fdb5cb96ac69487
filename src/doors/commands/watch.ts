// `watch`: shows a batch while it runs, whoever carries it.
import { z } from "zod";
import { waited, waitForBatch } from "../../operations/batches.ts";
import { findBatch } from "../../operations/find-batch.ts";
import { perform } from "../../operations/perform.ts";
import { type Asked, batchPositional, type Command, checkUsage, jsonFlag, lineOfJson } from "./command.ts";
import { followJson } from "./follow-json.ts";
import { showUntilEnd } from "./follow-view.ts";
import { interruptedStatus } from "./interruption.ts";
import { Leaving } from "./leaving.ts";
import { headingOf } from "./live-frame.ts";
import { endText, leftText, rings } from "./wait.ts";

const input = z.strictObject({ batchId: z.string().min(1) });

export const watch: Command = {
  name: "watch",
  summary: "Watch a batch while it runs",
  description:
    "Shows a batch while it runs: a line for each running session with what it is doing, counts, cost and time left; what has ended scrolls above. Piped, it prints a line for each task as it ends; with --json, a line of JSON (the answer of `wait --json`) at the beginning, whenever something has changed, and at the end. Ctrl-C only leaves: the batch goes on. Exit status: 0 when all tasks succeeded, 1 when some did not or the batch was interrupted, 130 when you left.",
  examples: [
    ["watch latest", "The newest batch"],
    ["watch b4k2 --json | jq .counts", "How far it is, for a program"],
  ],
  input,
  withoutFlags: ["batchId"],
  own: jsonFlag,
  positionals: [batchPositional],
  run: async (asked) => {
    using leaving = new Leaving();
    const { context, terminal } = asked;
    const { out } = terminal;
    const { batchId } = await perform(context, waitForBatch, wholeInput(asked), callNow());
    const log = findBatch(context, batchId);
    const json = asked.own["json"] === true;
    if (json) await followJson(context, log, out, leaving.signal);
    else {
      await out.print(headingOf(log.state));
      await showUntilEnd(context, log, out, leaving.signal);
    }
    const end = waited(context, log);
    if (leaving.signal.aborted) {
      if (!json) await out.print(leftText(end));
      return interruptedStatus;
    }
    await out.print(json ? lineOfJson(end) : endText(end, rings(asked)));
    return end.counts.succeeded === end.totalTasks ? 0 : 1;
  },
};

// Which batch is meant by `latest` is decided once, and what lost its processes is carried on.
function wholeInput(asked: Asked) {
  return { ...checkUsage(input, asked.input), waitSeconds: 0 };
}

function callNow() {
  return {
    signal: new AbortController().signal,
    startedAt: performance.now(),
    progress: () => undefined,
  };
}
