// Whether there is room on the disk for one more session's transcript, and in the process for its descriptors.
import { spareDescriptors } from "../platform/descriptors.ts";
import { freeSpace } from "../platform/files.ts";
import { isStorageTrouble } from "../store/database.ts";

/** Below this, no session is started: reported are transcripts that filled whole disks. */
const leastFreeBytes = 100 * 1024 * 1024;

/** A session takes a few files, and so do its result and the pages. */
const leastFreeFiles = 50;

/** A session takes four descriptors of ours; a look at processes and pages takes a few more for a moment. */
const leastDescriptors = 16;

/** Why no session may start now, in words for people; nothing when there is room. */
export function lackOfRoom(directory: string): string | undefined {
  try {
    const { bytes, files } = freeSpace(directory);
    if (bytes < leastFreeBytes)
      return `The disk of ${directory} has ${Math.floor(bytes / 1e6)} MB left; sessions start again above ${Math.ceil(leastFreeBytes / 1e6)} MB. Free some space, for example with \`parallel-claude-code-mcp prune\`.`;
    if (files < leastFreeFiles)
      return `The disk of ${directory} has room for only ${files} more files (inodes); sessions start again above ${leastFreeFiles}. Remove some files, for example with \`parallel-claude-code-mcp prune\`.`;
    const descriptors = spareDescriptors();
    if (descriptors < leastDescriptors)
      return `Waits for file descriptors: this process may open only ${descriptors} more. Raise the limit (\`ulimit -n\`), or lower \`concurrency\`.`;
    return undefined;
  } catch (error) {
    // The directory has gone: what is to be written there will say so.
    return error instanceof Error && (isStorageTrouble(error) || "code" in error)
      ? `The state directory ${directory} cannot be read: ${error.message}`
      : undefined;
  }
}
