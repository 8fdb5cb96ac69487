// `wait`: stays until a batch has ended, with a line for each task as it ends.
import { z } from "zod";
import { standingOf } from "../../engine/standing.ts";
import { waited, waitForBatch } from "../../operations/batches.ts";
import { findBatch, rowOf } from "../../operations/find-batch.ts";
import { follow } from "../../operations/follow.ts";
import { perform } from "../../operations/perform.ts";
import { batchPositional, type Command, checkUsage, jsonFlag, jsonText } from "./command.ts";
import { progressLines } from "./progress-lines.ts";

const input = z.strictObject({ batchId: z.string().min(1) });

export const wait: Command = {
  name: "wait",
  summary: "Wait until a batch has ended",
  description:
    "Waits until a batch has ended, and prints a line for each task as it ends. Exit status: 0 when all tasks succeeded, 1 when some did not or the batch was interrupted. Ending this command does not end the batch.",
  input,
  withoutFlags: ["batchId"],
  own: jsonFlag,
  positionals: [batchPositional],
  run: async (asked) => {
    const { context, terminal } = asked;
    const { batchId: given } = checkUsage(input, asked.input);
    const { signal } = new AbortController();
    const now = { signal, startedAt: performance.now(), progress: () => undefined };
    // Which batch is meant by `latest` is decided once, and what lost its processes is carried on.
    const { batchId } = await perform(context, waitForBatch, { batchId: given, waitSeconds: 0 }, now);
    const json = asked.own["json"] === true;
    const progress = progressLines(json ? terminal.err : terminal.out);
    const log = findBatch(context, batchId);
    progress(log.state);
    await follow(context.store, log, {
      until: Number.POSITIVE_INFINITY,
      signal,
      changed: progress,
      enough: () => standingOf(rowOf(context, log)) === "interrupted",
    });
    progress(log.state);
    const end = waited(context, log);
    await terminal.out.print(
      json
        ? jsonText(end)
        : `Batch ${batchId} is ${end.state}. ${end.message}\nResults are in ${end.outputDirectory}.`,
    );
    return end.counts.succeeded === end.totalTasks ? 0 : 1;
  },
};
