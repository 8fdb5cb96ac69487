// How a blob is named in jobs and results.
import { z } from "zod";

/** A stored blob. */
export const blobRef = z.object({
  name: z.string(),
  /** Of its content, before it was compressed, in hexadecimal digits. */
  sha256: z.string(),
  /** Of its content, in bytes. */
  bytes: z.int().nonnegative(),
});
export type BlobRef = z.infer<typeof blobRef>;
