// How inputs name a batch and its tasks.
import { z } from "zod";

export const batchIdInput = z
  .string("expected a batch id, or `latest`")
  .min(1)
  .meta({
    description: "Batch id, its first characters or its name. `latest` is the newest batch.",
    aliases: ["id", "batch"],
  });

/** The same, described in fewer words: other tools say what an id may be. */
export const batchIdAlone = batchIdInput.meta({ ...batchIdInput.meta(), description: "Batch id." });

/** For requests about one batch as a whole. */
export const batchInput = z.strictObject({ batchId: batchIdInput });

const someOrAll = "expected at least one task number or key; leave it out for all tasks";

/** A task by its number (1-based), or by its key. */
export const taskName = z.union([z.int().min(1), z.string().min(1)]);

/** Absent means all. An empty list is refused, because nobody would ask for no tasks. */
export const taskNumbers = z
  .array(taskName)
  .min(1, someOrAll)
  .meta({ aliases: ["task", "taskIndex", "taskIndexes", "taskNumbers", "key", "keys"] });

/**
 * For calls that stop work or cost money. A caller that computed the tasks and got `null` did not mean all of them, so
 * `null` is refused like an empty list.
 */
export const explicitTaskNumbers = z
  .array(taskName, {
    error: ({ input }) =>
      input === null || input === "null" || input === "undefined" ? someOrAll : undefined,
  })
  .min(1, someOrAll)
  .meta({ ...taskNumbers.meta(), explicit: true });
