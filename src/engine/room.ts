// Whether there is room on the disk for one more session's transcript.
import { freeBytes } from "../platform/files.ts";
import { isStorageTrouble } from "../store/database.ts";

/** Below this, no session is started: reported are transcripts that filled whole disks. */
const leastFreeBytes = 100 * 1024 * 1024;

/** Why no session may start now, in words for people; nothing when there is room. */
export function lackOfRoom(directory: string): string | undefined {
  try {
    const free = freeBytes(directory);
    if (free >= leastFreeBytes) return undefined;
    return `The disk of ${directory} has ${Math.floor(free / 1e6)} MB left; sessions start again above ${Math.ceil(leastFreeBytes / 1e6)} MB. Free some space, for example with \`parallel-claude-code-mcp prune\`.`;
  } catch (error) {
    // The directory has gone: what is to be written there will say so.
    return error instanceof Error && (isStorageTrouble(error) || "code" in error)
      ? `The state directory ${directory} cannot be read: ${error.message}`
      : undefined;
  }
}
