// The name of a batch.
import { z } from "zod";

/** What people and programs call a batch. */
export const batchIdSchema = z
  .string()
  .regex(/^[a-z2-9]{8}$/)
  .brand<"BatchId">();
export type BatchId = z.infer<typeof batchIdSchema>;

// No vowels and nothing that looks like something else: no words by chance, no misreading.
const letters = "bcdfghjkmnpqrstvwxz23456789";

/** A new batch id: short enough to type, and not to be guessed (27^8, about 38 bits). */
export function newBatchId(): BatchId {
  // Bytes of 243 (9 × 27) and more are left out, so that each letter is as likely as any other.
  let id = "";
  while (id.length < 8) {
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) {
      if (byte < 243 && id.length < 8) id += letters[byte % 27];
    }
  }
  return batchIdSchema.parse(id);
}
