// The hidden command that shells call at every press of Tab: quick, silent, and without writing anything.
import { readConfiguration, stateDirectoryOf } from "../../operations/configuration.ts";
import { ConfigurationError } from "../../operations/user-error.ts";
import { oneLine } from "../../report/harmless.ts";
import { readBatchSummaries, readTaskKeys } from "../../store/batch-summaries.ts";
import { commands } from "./commands.ts";
import { candidatesFor } from "./completion/candidates.ts";
import { printNow } from "./print-now.ts";

const mostBatches = 50;
const mostKeys = 2_000;

/** Prints a candidate on each line: the word, a tab, and its description. */
export function complete(words: readonly string[]): number {
  const found = candidatesFor(
    commands,
    words.length === 0 ? [""] : words,
    () => fromStore((stateDirectory) => readBatchSummaries(stateDirectory, mostBatches)),
    (batchId) => fromStore((stateDirectory) => readTaskKeys(stateDirectory, batchId, mostKeys)),
  );
  const lines = found.map((one) =>
    "names" in one ? `:${one.names}` : `${one.word}\t${oneLine(one.about, 120)}`,
  );
  return lines.length === 0 ? 0 : printNow(lines.join("\n"));
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
