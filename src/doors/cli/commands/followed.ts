// Follows a batch to its end: `wait`, and `retry` and `continue` with `--wait`.
import { z } from "zod";
import type { changeOutput } from "../../../operations/batches.ts";
import { FollowedBatch } from "../../../operations/followed-batch.ts";
import type { Operation } from "../../../operations/operation.ts";
import { perform } from "../../../operations/perform.ts";
import { checkUsage, commandCall, type Invocation, jsonText } from "../input/command.ts";
import { Leaving } from "../signals/ending-signals.ts";
import { showUntilEnd } from "../view/follow-view.ts";
import { endText, leftText, ring } from "../view/followed-end.ts";
import { type EndFlags, endFlags, endStatus, reportEnd } from "./end-flags.ts";

/** Flags of a command that answers at once, unless it is to wait. */
export const waitFlags = z.object({
  wait: z
    .boolean()
    .meta({ description: "Wait until the batch ends, as `wait` does. `--fail-on` does, too." })
    .optional(),
  ...endFlags.shape,
});
export type WaitFlags = z.output<typeof waitFlags>;

/** Whether the command is to wait for the end. */
export function isToWait({ wait = false, failOn }: WaitFlags): boolean {
  return wait || failOn !== undefined;
}

/** Shows a batch until it ends, and how it ended; returns the exit status. */
export async function followedToItsEnd(
  { context, terminal }: Pick<Invocation, "context" | "terminal">,
  batch: FollowedBatch,
  flags: EndFlags & { json?: boolean | undefined },
): Promise<number> {
  using leaving = new Leaving();
  const { out, err } = terminal;
  const { json = false, quiet = false } = flags;
  await showUntilEnd(batch, json ? err : out, leaving.signal, { isQuiet: quiet });
  const progress = batch.progress();
  if (leaving.status !== undefined) {
    await err.tell(leftText(progress));
    return leaving.status;
  }
  if (json) await out.print(jsonText(progress));
  else {
    await out.tell(endText(batch.state, progress, out));
    await ring(context, out);
  }
  const { end, state: word } = progress;
  await reportEnd(flags, { state: batch.state, word, err });
  return endStatus(flags, end && { kind: end }, batch.state);
}

/** Starts what an operation starts, and says nothing about it. */
export async function startedQuietly<Input extends z.ZodType, Output extends typeof changeOutput>(
  { context, input }: Invocation,
  operation: Operation<Input, Output>,
): Promise<number> {
  checkUsage(operation.input, input);
  await perform(context, operation, input, commandCall());
  return 0;
}

/** Starts what an operation starts, and follows it to its end. */
export async function startedAndFollowed<Input extends z.ZodType, Output extends typeof changeOutput>(
  asked: Invocation,
  operation: Operation<Input, Output>,
  flags: WaitFlags & { json?: boolean | undefined },
): Promise<number> {
  checkUsage(operation.input, asked.input);
  const { context, terminal } = asked;
  const { batchId, message } = await perform(context, operation, asked.input, commandCall());
  if (!flags.quiet && !flags.json) await terminal.out.tell(`Batch ${batchId}: ${message}`);
  return followedToItsEnd(asked, await FollowedBatch.open(context, batchId), flags);
}
