// What is removed by itself: how long ended batches stay, and what of them stays longer.
import { z } from "zod";

/** How long batches stay after their end, and what stays when they are removed. */
export const retention = z.object({
  days: z.number().min(0),
  /** Whether Claude Code keeps the conversations of their sessions. */
  conversations: z.boolean(),
  /** Whether their result files stay. */
  output: z.boolean(),
});
export type Retention = z.infer<typeof retention>;
