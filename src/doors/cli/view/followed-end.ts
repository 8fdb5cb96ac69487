// How a command ends that followed a batch, or was stopped before the batch ended.
import type { BatchState } from "../../../model/state.ts";
import type { BatchProgress } from "../../../operations/batches.ts";
import type { Context } from "../../../operations/context.ts";
import type { Printer } from "../terminal/terminal.ts";
import { endingText } from "./ending.ts";

/** Explains that the batch does not end because the command does. */
export function leftText({ batchId, message }: BatchProgress): string {
  return `Batch ${batchId} continues in the background. ${message}`;
}

/** Rings in a terminal, for a user who is looking elsewhere. */
export async function ring({ configuration }: Context, out: Printer): Promise<void> {
  if (out.isLive && configuration.notifications) await out.write("\x07");
}

/** How a batch ended, in words, and what to do next. */
export function endText(
  state: BatchState,
  { batchId, state: word, outputDirectory }: BatchProgress,
  out: Printer,
): string {
  return `Batch ${batchId}: ${endingText(state, word, out)}\nResults are in ${outputDirectory}.`;
}
