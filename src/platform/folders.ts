// The contents of folders. Never follows symbolic links.
// Bun has no call that lists or removes a folder, or looks at a link itself.
import { lstatSync, readdirSync, rmdirSync } from "node:fs";
import { dirname, isWithin, join } from "./paths.ts";
import { systemCode } from "./system-error.ts";

/** The names of the folders in a folder, without links to folders; empty if it does not exist. */
export function foldersIn(path: string): string[] {
  return entriesOf(path).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** The names of everything in a folder; empty if it does not exist or is no folder. */
export function namesIn(path: string): Set<string> {
  return new Set(entriesOf(path).map(({ name }) => name));
}

/** One thing in a folder. A link is neither a file nor a folder. */
export interface Entry {
  name: string;
  isFile: boolean;
  isFolder: boolean;
  isLink: boolean;
}

/** What is in a folder; nothing if it does not exist, or this user may not look into it. */
export function contentsOf(path: string): Entry[] {
  try {
    return entriesOf(path).map((entry) => ({
      name: entry.name,
      isFile: entry.isFile(),
      isFolder: entry.isDirectory(),
      isLink: entry.isSymbolicLink(),
    }));
  } catch (error) {
    if (["EACCES", "EPERM"].includes(systemCode(error) ?? "")) return [];
    throw error;
  }
}

/** The size of a folder or a file with its contents, and when any of it last changed. */
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
    // Removed between two calls, never created, or a file of this name.
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "")) return [];
    throw error;
  }
}

/** Removes a folder if it is empty, then its empty parents up to `root`, which stays. */
export function removeEmptyFolders(path: string, root: string): void {
  for (let at = path; at !== root && isWithin(at, root); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      // Not empty, or no permission.
      return;
    }
  }
}
