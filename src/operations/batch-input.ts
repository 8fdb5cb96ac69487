// How a batch and its tasks are named, wherever something is asked about them.
import { z } from "zod";

export const batchIdInput = z
  .string()
  .min(1)
  .meta({
    description: "Batch id, or its first characters. `latest` is the newest batch.",
    aliases: ["id", "batch"],
  });

/** Of what is asked about one batch as a whole. */
export const batchInput = z.strictObject({ batchId: batchIdInput });

const someOrAll = "expected at least one task number; leave it out for all tasks";

/** Absent means all; an empty list would mean none, and nobody asks for that. */
export const taskNumbers = z
  .array(z.int().min(1))
  .min(1, someOrAll)
  .meta({ aliases: ["task", "taskIndex", "taskIndexes", "taskNumbers"] });

/**
 * For what stops work or costs money. A caller that computed the tasks and got `null` did not mean all of them, so
 * `null` is refused as an empty list is.
 */
export const explicitTaskNumbers = z
  .array(z.int().min(1), {
    error: ({ input }) =>
      input === null || input === "null" || input === "undefined" ? someOrAll : undefined,
  })
  .min(1, someOrAll)
  .meta({ ...taskNumbers.meta(), explicit: true });
