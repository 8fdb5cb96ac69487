// The progress of a batch as lines of JSON.
import { waited } from "../../../operations/batches.ts";
import type { Context } from "../../../operations/context.ts";
import { rowOf } from "../../../operations/find-batch.ts";
import { follow } from "../../../operations/follow.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { stateWordOf } from "../../../store/batch-status.ts";
import { lineOfJson } from "../input/command.ts";
import type { Printer } from "../terminal/terminal.ts";

/** Between two lines, in milliseconds, so as not to flood the reader. */
const lineMs = 500;

/** A line now, and one after every change, until the batch ends, is lost, or the signal is aborted. */
export async function followJson(
  context: Context,
  log: BatchLog,
  out: Printer,
  signal: AbortSignal,
): Promise<void> {
  let before = "";
  for (;;) {
    const now = waited(context, log);
    if (now.state !== "running") return;
    // The cursor changes with every step of every attempt, and estimates of time with every second.
    const { cursor: _, secondsLeft: __, nextCheckSeconds: ___, ...news } = now;
    const seen = lineOfJson(news);
    if (seen !== before) await out.print(lineOfJson(now));
    before = seen;
    const until = performance.now() + lineMs;
    const ended = await follow(context.store, log, { until, signal });
    if (ended || signal.aborted || stateWordOf(rowOf(context, log)) === "interrupted") return;
  }
}
