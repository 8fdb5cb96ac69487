// What sessions have cost in sum: the same fields in answers, tables and pages.
import { z } from "zod";

const fields = {
  costUsd: z.number(),
  costAtLeast: z.boolean().optional().meta({
    description: "A session ended without reporting its whole cost.",
  }),
  sessions: z.int(),
  batches: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWrittenTokens: z.int(),
};

/** Costs in US dollars and tokens of some sessions. */
export const spendingSum = z.object(fields);
export type SpendingSum = z.infer<typeof spendingSum>;

/** Those of a day, a month, a batch, a model, a directory or a client. */
export const spendingRow = z.object({
  of: z.string().meta({ description: "The day, month, batch id, model, directory or client." }),
  name: z.string().optional().meta({ description: "The name of the batch." }),
  ...fields,
});
export type SpendingRow = z.infer<typeof spendingRow>;

/** That of no sessions. */
export const nothingSpent: SpendingSum = {
  costUsd: 0,
  sessions: 0,
  batches: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrittenTokens: 0,
};
