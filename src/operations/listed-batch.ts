// Finds the batch that was named in a list.

/**
 * By its id, the beginning of its id, its name, or `latest`, in a list sorted newest first; of several that are meant, the
 * newest. For suggestions.
 */
export function listedBatch<Listed extends { batchId: string; name?: string | undefined }>(
  batches: readonly Listed[],
  given: string,
): Listed | undefined {
  return given === "latest"
    ? batches[0]
    : batches.find(({ batchId, name }) => batchId.startsWith(given) || name === given);
}
