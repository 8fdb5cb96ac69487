// How jobs and results name a blob.
import { z } from "zod";

/** Parts of letters, digits, `_`, `.` and `-`, with `/` between them. None begins with a dot. */
export const blobName = z
  .string()
  .max(500)
  .regex(/^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*$/);

/** What a blob is called, and what is in it. */
export const blobRef = z.strictObject({
  name: blobName,
  /** Of the contents before they were compressed, in hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** How long the contents are. A reader takes no more. */
  bytes: z.int().nonnegative(),
});
export type BlobRef = z.infer<typeof blobRef>;
