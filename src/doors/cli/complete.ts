// The hidden command that shells call at every press of Tab: quick, silent, and without writing anything.
import { readConfiguration, stateDirectoryOf } from "../../operations/configuration.ts";
import { ConfigurationError } from "../../operations/user-error.ts";
import { oneLine } from "../../report/harmless.ts";
import { readBatchSummaries } from "../../store/batch-summaries.ts";
import { commands } from "./commands.ts";
import { candidatesFor } from "./completion/candidates.ts";
import { printNow } from "./print-now.ts";

const mostBatches = 50;

/** Prints a candidate on each line: the word, a tab, and its description. */
export function complete(words: readonly string[]): number {
  const found = candidatesFor(commands, words.length === 0 ? [""] : words, () => {
    try {
      return readBatchSummaries(stateDirectoryOf(readConfiguration().configuration), mostBatches);
    } catch (error) {
      // The state directory is unknown; a press of Tab does not show why.
      if (error instanceof ConfigurationError) return [];
      throw error;
    }
  });
  const lines = found.map((one) =>
    "names" in one ? `:${one.names}` : `${one.word}\t${oneLine(one.about, 120)}`,
  );
  return lines.length === 0 ? 0 : printNow(lines.join("\n"));
}
