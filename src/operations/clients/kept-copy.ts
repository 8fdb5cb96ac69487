// The copies kept beside a client's file, from before our entry was added, and which of them to remove.
import { readText } from "../../platform/files.ts";
import { namesIn } from "../../platform/folders.ts";
import { basename, dirname, join } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { entryIn, saysNothing, withEntry, withoutEntry, withReplaced } from "./change.ts";
import type { McpClient, ServerEntry } from "./client-files.ts";
import { serverOf, wordsOf } from "./entry-shape.ts";
import { startsUs } from "./own-entry.ts";

/** Between the name of a file and the time of its copy. */
export const copyMark = ".backup-";

/** The name of our entry in a client's file, and where that file really is. */
export interface Place {
  client: McpClient;
  file: string;
  name: string;
}

/**
 * What was there before our entry: the whole file (without `text` if we created it), or only another entry of the same
 * name, if somebody has changed the file since.
 */
export type Former =
  | { kind: "file"; text?: string }
  | { kind: "entry"; entry: Record<string, unknown> }
  | { kind: "nothing" };

/**
 * Searches the kept copies, newest first. One that differs from `text` only in our entry is restored byte for byte.
 * Otherwise, the newest one without our entry decides what had its name.
 */
export function formerOf(place: Place, text: string): Former {
  const entry = entryIn(place.client, text, place.name);
  if (entry === undefined) return { kind: "nothing" };
  const own = { words: wordsOf(entry), server: serverOf(place.client, entry) };
  const before = copiesOf(place).flatMap((path) => {
    const copy = textOf(path);
    return copy !== undefined && !holdsUs(place, copy, own.words) ? [copy] : [];
  });
  const same = before.find((copy) => becomes(place, copy, own.server) === text);
  if (same !== undefined) return { kind: "file", text: same };
  // No copy shows that there was a file before, and a client may have rewritten it since.
  if (before.length === 0 && holdsNothingElse(place, text)) return { kind: "file" };
  const [newest] = before;
  const other = newest === undefined ? undefined : entryIn(place.client, newest, place.name);
  return other ? { kind: "entry", entry: other } : { kind: "nothing" };
}

/**
 * Keeps the newest copy, and the newest without our entry, which `uninstall` restores; of the others one, if there is
 * room.
 */
export function pruneCopies(place: Place): void {
  const copies = copiesOf(place);
  const before = copies.find((path) => {
    const copy = textOf(path);
    return copy !== undefined && !holdsUs(place, copy);
  });
  const kept = new Set([copies[0], before].filter((path) => path !== undefined));
  for (const path of copies) {
    if (kept.has(path)) continue;
    if (kept.size < mostCopies) kept.add(path);
    else removePath(path);
  }
}

const mostCopies = 2;

/** Removes the copies of a file that we created ourselves: they contain only our entry. */
export function removeOwnCopies(place: Place): void {
  for (const path of copiesOf(place)) {
    const copy = textOf(path);
    if (copy !== undefined && holdsNothingElse(place, copy)) removePath(path);
  }
}

function copiesOf({ file }: Place): string[] {
  const begin = `${basename(file)}${copyMark}`;
  return (
    [...namesIn(dirname(file))]
      .filter((one) => one.startsWith(begin) && /^\d{8}-\d{6}(-\d+)?$/.test(one.slice(begin.length)))
      // Several of one second are numbered.
      .sort((one, other) => other.localeCompare(one, "en", { numeric: true }))
      .map((one) => join(dirname(file), one))
  );
}

// A text that cannot be parsed is not what our entry was added to.
function holdsUs({ client, name }: Place, text: string, words?: readonly string[]): boolean {
  try {
    const entry = entryIn(client, text, name);
    return entry !== undefined && startsUs(entry, words);
  } catch {
    return true;
  }
}

/** Whether a text has our entry, and is empty in effect without it. */
export function holdsNothingElse({ client, name }: Place, text: string): boolean {
  try {
    const isThere = entryIn(client, text, name) !== undefined;
    return isThere && saysNothing(client, withoutEntry(client, text, name));
  } catch {
    return false;
  }
}

function becomes({ client, name }: Place, earlier: string, server: ServerEntry): string | undefined {
  try {
    const isTaken = entryIn(client, earlier, name) !== undefined;
    return (isTaken ? withReplaced : withEntry)(client, earlier, name, server);
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readText(path);
  } catch {
    // An unreadable copy counts as none.
    return undefined;
  }
}
