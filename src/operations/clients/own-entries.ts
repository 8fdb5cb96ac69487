// Finds the entries that start this program, in all places where a client looks.
import { UserError } from "../user-error.ts";
import { entriesIn } from "./change.ts";
import type { McpClient } from "./clients.ts";
import { defaultName, startsUs } from "./own-entry.ts";
import { Unreadable } from "./unreadable.ts";

export interface OwnEntry {
  client: McpClient;
  name: string;
  entry: Record<string, unknown>;
}

/**
 * Ours, the place that counts for this user everywhere first. `words` is a command line that is ours too. A file of a
 * project that cannot be read is passed over: it may be a stranger's, and is never changed.
 */
export function ownEntries(
  places: readonly McpClient[],
  textOf: (place: McpClient) => string | undefined,
  words: readonly string[] = [],
): OwnEntry[] {
  return places.flatMap((client) =>
    entriesAt(client, textOf)
      .filter(([, entry]) => startsUs(entry, words))
      .sort(([one], [other]) => Number(other === defaultName) - Number(one === defaultName))
      .map(([name, entry]) => ({ client, name, entry })),
  );
}

function entriesAt(client: McpClient, textOf: (place: McpClient) => string | undefined) {
  try {
    return entriesIn(client, textOf(client) ?? "");
  } catch (error) {
    if (client.scope === "project" && (error instanceof Unreadable || error instanceof UserError)) return [];
    throw error;
  }
}
