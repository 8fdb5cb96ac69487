// A second name for a file, so that removing one of them keeps the contents.
// Bun has no call that links files, and none that copies or renames one before it returns.
import { copyFileSync, linkSync, renameSync, rmSync, statSync } from "node:fs";

/**
 * Gives a file a second name, or copies it where the file system has no links. The name appears with the whole contents or
 * not at all. Throws if the file is not there, or the name is taken.
 */
export function nameAgain(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch (error) {
    // Missing, or taken: a copy would not help. Otherwise no links at all, or too many to this file.
    if (!statSync(path, { throwIfNoEntry: false }) || statSync(name, { throwIfNoEntry: false })) throw error;
    const half = `${name}.${process.pid}.part`;
    try {
      copyFileSync(path, half);
      renameSync(half, name);
    } finally {
      rmSync(half, { force: true });
    }
  }
}
