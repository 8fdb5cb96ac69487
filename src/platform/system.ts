// The system whose figures this floor reads: the real one, or one that a test wrote to a folder.
// Bun has no call that reads a file before it returns.
import { readFileSync } from "node:fs";

/** A system, and where it exposes its figures. */
export interface System {
  platform: NodeJS.Platform;
  /** Prefix of `/proc`, and of every mount point of a control group. */
  root: string;
}

export const thisSystem: System = { platform: process.platform, root: "" };

/** The text of a file of the system; undefined if unreadable. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Not in this kernel, not mounted, gone with its process, or no permission: unknown in all cases.
    return undefined;
  }
}
