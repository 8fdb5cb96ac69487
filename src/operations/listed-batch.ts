// Finds the batch that was named in a list.

/**
 * By its id, the beginning of its id, or `latest`, in a list sorted newest first; of several that begin like this, the newest.
 * For suggestions.
 */
export function listedBatch<Listed extends { batchId: string }>(
  batches: readonly Listed[],
  given: string,
): Listed | undefined {
  return given === "latest" ? batches[0] : batches.find(({ batchId }) => batchId.startsWith(given));
}
