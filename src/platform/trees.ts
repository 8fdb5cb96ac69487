// Whole directories, however many files they have: in another thread, because the process has other things to do meanwhile.
// Bun has no call that removes or renames a directory.
import { rename, rm } from "node:fs/promises";
import { systemCode } from "./system-error.ts";

/** Removes a directory and everything in it; does nothing if there is none. Links are removed, not followed. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Gives a directory another name; false if that is taken by a directory that is not empty. */
export async function placeDirectory(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}
