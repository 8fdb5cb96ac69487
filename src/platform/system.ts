// Whose figures this floor tells: those of the system that we run on, or of one that a test has put into a folder.
// Bun has no call that reads a file before it returns.
import { readFileSync } from "node:fs";

/** A system, and where it tells about itself. */
export interface System {
  platform: NodeJS.Platform;
  /** Stands before `/proc`, and before every place where a control group is mounted. */
  root: string;
}

export const thisSystem: System = { platform: process.platform, root: "" };

/** The text of a file in which the system tells something; nothing where it does not. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Not in this kernel, not mounted, gone with its process, or not for us: in all cases nothing is told.
    return undefined;
  }
}
