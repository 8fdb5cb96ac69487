// Whether there is room on the disk for one more session's transcript, and in the process for its descriptors.
import { spareDescriptors } from "../../platform/descriptors.ts";
import { freeSpace } from "../../platform/files.ts";
import { spareThreads } from "../../platform/threads.ts";
import { countText } from "../../report/amounts.ts";
import { isStorageTrouble } from "../../store/database.ts";

/** Below this, no session is started: reported are transcripts that filled whole disks. */
const leastFreeBytes = 100 * 1024 * 1024;

/** A session takes a few files, and so do its result and the pages. */
const leastFreeFiles = 50;

/** A session takes four descriptors of ours; a look at processes and pages takes a few more for a moment. */
const leastDescriptors = 16;

/** Claude Code was seen with 9 threads on 2 processors; more have more, and commands come on top. Without them it dies, or hangs. */
const leastThreads = 40;

/** Why no session may start now, in words for people; nothing when there is room. `running`: sessions of ours. */
export function lackOfRoom(directory: string, running: number): string | undefined {
  try {
    const { bytes, files } = freeSpace(directory);
    if (bytes < leastFreeBytes)
      return `The disk of ${directory} has ${Math.floor(bytes / 1e6)} MB left; sessions start again above ${Math.ceil(leastFreeBytes / 1e6)} MB. Free some space, for example with \`parallel-claude-code-mcp prune\` in a terminal.`;
    if (files < leastFreeFiles)
      return `The disk of ${directory} has room for only ${countText(files, "more file")} (inodes); sessions start again above ${leastFreeFiles}. Remove some files, for example with \`parallel-claude-code-mcp prune\` in a terminal.`;
    const descriptors = spareDescriptors();
    if (descriptors < leastDescriptors)
      return `Waits for file descriptors: this process may open only ${descriptors} more. Raise the limit (\`ulimit -n\`), or lower \`concurrency\`.`;
    // The first one is tried all the same: nothing else could tell that it is too few.
    const threads = running === 0 ? leastThreads : spareThreads();
    if (threads < leastThreads)
      return `Waits for processes: the limit of this container or service allows only ${countText(threads, "more process or thread", "more processes and threads")}, and a session needs about ${leastThreads}. Raise it (\`--pids-limit\`, \`TasksMax\`), or lower \`concurrency\`.`;
    return undefined;
  } catch (error) {
    // The directory has gone: what is to be written there will say so.
    return error instanceof Error && (isStorageTrouble(error) || "code" in error)
      ? `The state directory ${directory} cannot be read: ${error.message}`
      : undefined;
  }
}
