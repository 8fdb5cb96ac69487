// Finds the entries that start this program, in all places where a client looks.
import { entriesIn } from "./change.ts";
import type { McpClient } from "./clients.ts";
import { defaultName, startsUs } from "./own-entry.ts";

export interface OwnEntry {
  client: McpClient;
  name: string;
  entry: Record<string, unknown>;
}

/** Ours, the place that counts for this user everywhere first. `words` is a command line that is ours too. */
export function ownEntries(
  places: readonly McpClient[],
  textOf: (place: McpClient) => string | undefined,
  words: readonly string[] = [],
): OwnEntry[] {
  return places.flatMap((client) =>
    entriesIn(client, textOf(client) ?? "")
      .filter(([, entry]) => startsUs(entry, words))
      .sort(([one], [other]) => Number(other === defaultName) - Number(one === defaultName))
      .map(([name, entry]) => ({ client, name, entry })),
  );
}
