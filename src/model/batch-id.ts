// The name of a batch.
import { z } from "zod";

/** How people and programs refer to a batch. */
export const batchIdSchema = z
  .string()
  .regex(/^[a-z2-9]{8}$/)
  .brand<"BatchId">();
export type BatchId = z.infer<typeof batchIdSchema>;

// No vowels and no look-alikes, so that no words arise and nothing is misread.
const letters = "bcdfghjkmnpqrstvwxz23456789";

/** A new batch id: short enough to type, and not guessable (27^8, about 38 bits). */
export function newBatchId(): BatchId {
  // Skips bytes of 243 (9 × 27) and more, so that all letters are equally likely.
  let id = "";
  while (id.length < 8) {
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) {
      if (byte < 243 && id.length < 8) id += letters[byte % 27];
    }
  }
  return batchIdSchema.parse(id);
}
