// The file as it was before our entry came into it: found among the copies that were kept beside it.
import { readText } from "../../platform/files.ts";
import { namesIn } from "../../platform/folders.ts";
import { basename, dirname, join } from "../../platform/paths.ts";
import { entryIn, withEntry } from "./change.ts";
import type { McpClient } from "./clients.ts";

/** What stands between the name of a file and the time at which a copy of it was kept. */
export const copyMark = ".backup-";

/** What a file was before our entry came into it; without a text, there was no file. */
export interface Before {
  text?: string;
}

/**
 * The newest kept copy of `file` that differs from `text` by nothing but our entry: taking that out again gives just this
 * copy, to the byte. Where no copy is, and there is nothing but our entry, we have made the file. Nothing where it
 * cannot be told, for somebody has changed the file since.
 */
export function beforeEntry(client: McpClient, file: string, text: string, name: string): Before | undefined {
  const entry = entryIn(client, text, name);
  if (entry === undefined) return undefined;
  const [command, args, env] = [String(entry["command"]), textsOf(entry["args"]), variablesOf(entry["env"])];
  const becomesText = (earlier: string) => {
    try {
      if (entryIn(client, earlier, name) !== undefined) return false;
      return withEntry(client, earlier, name, { command, args, env }) === text;
    } catch {
      // What cannot be understood is not what our entry was put into.
      return false;
    }
  };
  const copies = [...namesIn(dirname(file))]
    .filter((one) => one.startsWith(`${basename(file)}${copyMark}`))
    // Several of one second are numbered.
    .sort((one, other) => other.localeCompare(one, "en", { numeric: true }));
  for (const copy of copies) {
    const earlier = textOf(join(dirname(file), copy));
    if (earlier !== undefined && becomesText(earlier)) return { text: earlier };
  }
  return becomesText("") ? {} : undefined;
}

function textOf(path: string): string | undefined {
  try {
    return readText(path);
  } catch {
    // A copy that cannot be read is none.
    return undefined;
  }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function variablesOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}
