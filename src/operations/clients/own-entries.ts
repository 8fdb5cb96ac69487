// Finds the entries that start this program, everywhere a client looks.
import { UserError } from "../user-error.ts";
import { entriesIn } from "./change.ts";
import type { McpClient } from "./client-files.ts";
import { defaultName, startsUs } from "./own-entry.ts";
import { Unreadable } from "./unreadable.ts";

export interface OwnEntry {
  client: McpClient;
  name: string;
  entry: Record<string, unknown>;
}

/**
 * Our entries, the user's own place first. `words`: another command line that is ours. Skips an unreadable file of a
 * project: it may be a stranger's, and is never changed.
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
