// How a batch and its tasks are named, wherever something is asked about them.
import { z } from "zod";

export const batchIdInput = z
  .string()
  .min(1)
  .meta({
    description: "Batch id, or its first characters. `latest` is the newest batch.",
    aliases: ["id", "batch"],
  });

/** Absent means all; an empty list would mean none, and nobody asks for that. */
export const taskNumbers = z
  .array(z.int().min(1))
  .min(1, "expected at least one task number; leave it out for all tasks")
  .meta({ aliases: ["task", "taskIndex", "taskIndexes", "taskNumbers"] });
