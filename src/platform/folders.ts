// What is in a folder. Symbolic links are never followed.
// Bun has no call that lists or removes a folder, or looks at a link itself.
import { lstatSync, readdirSync, rmdirSync } from "node:fs";
import { dirname, isWithin, join } from "./paths.ts";
import { systemCode } from "./system-error.ts";

/** The names of the folders in a folder, links to folders not among them; none where it is not there. */
export function foldersIn(path: string): string[] {
  return entriesOf(path).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** The names of all that is in a folder; none where it is not there, or no folder. */
export function namesIn(path: string): Set<string> {
  return new Set(entriesOf(path).map(({ name }) => name));
}

/** How much a folder or a file takes with all that is in it, and when the last of it was changed. */
export function footprintOf(path: string): { bytes: number; changedAt: number } {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return { bytes: 0, changedAt: 0 };
  if (!found.isDirectory()) return { bytes: found.size, changedAt: found.mtimeMs };
  const inside = entriesOf(path).map(({ name }) => footprintOf(join(path, name)));
  return {
    bytes: inside.reduce((sum, { bytes }) => sum + bytes, 0),
    changedAt: inside.reduce((newest, { changedAt }) => Math.max(newest, changedAt), found.mtimeMs),
  };
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    // Removed by somebody else between two looks, or never made; or a file has its name now.
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "")) return [];
    throw error;
  }
}

/** Removes a folder if it is empty, and then those above it that are, up to `root`, which stays. */
export function removeEmptyFolders(path: string, root: string): void {
  for (let at = path; at !== root && isWithin(at, root); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      // Something is in it, or it is not ours to remove.
      return;
    }
  }
}
