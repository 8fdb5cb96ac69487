// What can be completed from the store, which is read without opening it.
import type { BatchId } from "../../../model/batch-id.ts";
import { readConfiguration, stateDirectoryOf } from "../../../operations/configuration.ts";
import { ConfigurationError } from "../../../operations/user-error.ts";
import { type BatchSummary, readBatchSummaries, readTaskKeys } from "../../../store/batch-summaries.ts";

const mostBatches = 50;
const mostKeys = 2_000;

/** The newest batches; none if they cannot be read. */
export function newestBatches(): readonly BatchSummary[] {
  return fromStore((stateDirectory) => readBatchSummaries(stateDirectory, mostBatches));
}

/** The keys of a batch's tasks; none if they cannot be read. */
export function keysOfTasks(batchId: BatchId): readonly string[] {
  return fromStore((stateDirectory) => readTaskKeys(stateDirectory, batchId, mostKeys));
}

function fromStore<Item>(read: (stateDirectory: string) => readonly Item[]): readonly Item[] {
  try {
    return read(stateDirectoryOf(readConfiguration().configuration));
  } catch (error) {
    // The state directory is unknown; a press of Tab does not show why.
    if (error instanceof ConfigurationError) return [];
    throw error;
  }
}
