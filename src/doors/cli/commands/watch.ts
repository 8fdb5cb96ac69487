// `watch`: shows a batch while it runs, whatever started it.
import { batchInput } from "../../../operations/batch-input.ts";
import { waited } from "../../../operations/batches.ts";
import { resolveBatch } from "../../../operations/find-batch.ts";
import { batchPositional, type Command, checkUsage, jsonFlag, lineOfJson } from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import { followJson } from "../view/follow-json.ts";
import { showUntilEnd } from "../view/follow-view.ts";
import { headingOf } from "../view/live-frame.ts";
import { endText, leftText, ring, statusOf } from "./wait.ts";

export const watch: Command = {
  name: "watch",
  otherNames: ["follow", "attach", "monitor", "top"],
  summary: "Watch a batch while it runs",
  description:
    "Shows a batch while it runs: a line for each running session with its activity, counts, cost and time left. Tasks that have ended scroll above. Piped, it prints a line for each task as it ends; with --json, a line of JSON (the answer of `wait --json`) at the beginning, whenever something has changed, and at the end. Ctrl-C only stops watching; the batch continues. Exit status: 0 if all tasks succeeded, 1 if some did not or the batch was interrupted, 130 if you pressed Ctrl-C, 143 after SIGTERM.",
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
    const log = await resolveBatch(context, checkUsage(batchInput, asked.input).batchId);
    const json = asked.own["json"] === true;
    if (json) await followJson(context, log, out, leaving.signal);
    else {
      await out.tell(headingOf(log.state));
      await showUntilEnd(context, log, out, leaving.signal);
    }
    const end = waited(context, log);
    if (leaving.status !== undefined) {
      if (!json) await out.tell(leftText(end));
      return leaving.status;
    }
    if (json) await out.print(lineOfJson(end));
    else {
      await out.tell(endText(log, end));
      await ring(asked);
    }
    return statusOf(end);
  },
};
