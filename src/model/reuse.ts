// Answers that are taken over from earlier sessions: what the log and the batch say about them.
import { z } from "zod";

/** How long, and how much of, answers are remembered. With 0, nothing is. */
export const reuseLimits = z.object({
  /** Days since an answer was last used. */
  days: z.number().min(0),
  /** Megabytes of 1,000,000 bytes. */
  megabytes: z.number().min(0),
});
export type ReuseLimits = z.infer<typeof reuseLimits>;

/** Why no remembered answer was right for some tasks. */
export const missReason = z.discriminatedUnion("kind", [
  /** None is remembered for this prompt, these options and this model. */
  z.object({ kind: z.literal("new") }),
  /** What the session had read is different now. `what` is a path, or words that name several. */
  z.object({ kind: z.literal("changed"), what: z.string() }),
  /** An earlier answer was not worth remembering. `because` follows "an earlier session". */
  z.object({ kind: z.literal("not-remembered"), because: z.string() }),
  /** The caller wants all to run again. */
  z.object({ kind: z.literal("fresh") }),
]);
export type MissReason = z.infer<typeof missReason>;

/** Tasks that have to run for one reason. */
export const missedTasks = z.object({ reason: missReason, tasks: z.array(z.int().positive()) });
export type MissedTasks = z.infer<typeof missedTasks>;
