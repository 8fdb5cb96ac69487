// How a batch goes on, as lines of JSON.
import { standingOf } from "../../engine/standing.ts";
import { waited } from "../../operations/batches.ts";
import type { Context } from "../../operations/context.ts";
import { rowOf } from "../../operations/find-batch.ts";
import { follow } from "../../operations/follow.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { lineOfJson } from "./command.ts";
import type { Printer } from "./terminal.ts";

/** Between two lines, in milliseconds: who reads them wants to know, and not to be flooded. */
const lineMs = 500;

/** A line now, and one whenever something has changed, until the batch ends, is lost, or the signal says so. */
export async function followJson(
  context: Context,
  log: BatchLog,
  out: Printer,
  signal: AbortSignal,
): Promise<void> {
  let before = "";
  for (;;) {
    const now = waited(context, log);
    const line = lineOfJson(now);
    // The cursor alone changes with every step of every attempt.
    if (now.state !== "running") return;
    if (line !== before) await out.print(line);
    before = line;
    const until = performance.now() + lineMs;
    const ended = await follow(context.store, log, { until, signal });
    if (ended || signal.aborted || standingOf(rowOf(context, log)) === "interrupted") return;
  }
}
