// The hidden command that shells call at every press of Tab: quick, silent, and without writing anything.
import { oneLine } from "../../report/harmless.ts";
import { candidatesFor } from "./completion/candidates.ts";
import { describedCommands } from "./described-commands.ts";
import { printNow } from "./print-now.ts";

/** Prints a candidate on each line: the word, a tab, and its description. */
export async function complete(words: readonly string[]): Promise<number> {
  const stored = () => import("./completion/stored-words.ts");
  const found = await candidatesFor(
    describedCommands(),
    words.length === 0 ? [""] : words,
    async () => (await stored()).newestBatches(),
    async (batchId) => (await stored()).keysOfTasks(batchId),
  );
  const lines = found.map((one) =>
    "names" in one ? `:${one.names}` : `${one.word}\t${oneLine(one.about, 120)}`,
  );
  return lines.length === 0 ? 0 : printNow(lines.join("\n"));
}
