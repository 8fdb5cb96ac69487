// Which batch a command that follows one means.
import { z } from "zod";
import { waitForBatch } from "../../../operations/batches.ts";
import { findBatch } from "../../../operations/find-batch.ts";
import { perform } from "../../../operations/perform.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { type Asked, checkUsage } from "./command.ts";

/** What such a command is given. */
export const batchInput = z.strictObject({ batchId: z.string().min(1) });

/** What `latest` means is decided once; and what lost its processes is carried on. */
export async function batchMeant({ context, input }: Asked, signal: AbortSignal): Promise<BatchLog> {
  const now = { signal, startedAt: performance.now(), progress: () => undefined };
  const given = checkUsage(batchInput, input);
  const { batchId } = await perform(context, waitForBatch, { ...given, waitSeconds: 0 }, now);
  return findBatch(context, batchId);
}
