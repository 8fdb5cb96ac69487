// Whether the disk has room for one more session's files, and the system allows its descriptors, processes and threads.
import { product } from "../../model/product.ts";
import { spareDescriptors } from "../../platform/descriptors.ts";
import { freeSpace } from "../../platform/files.ts";
import { codeOf } from "../../platform/system-error.ts";
import { spareThreads } from "../../platform/threads.ts";
import { countText } from "../../report/amounts.ts";

/** Below this, no session starts: there are reports of transcripts that filled whole disks. */
const leastFreeBytes = 100 * 1024 * 1024;

/** A session needs a few files, as do its result and the pages. */
const leastFreeFiles = 50;

/** A session takes four of our descriptors; scans and pages briefly take a few more. */
const leastDescriptors = 16;

/**
 * Claude Code was seen with 9 threads on 2 processors; it has more on more, and commands add theirs. Without them it dies
 * or hangs.
 */
const leastThreads = 40;

/** Why no session may start now, in words for people; undefined if nothing is lacking. `running`: sessions of ours. */
export function lackOfResources(directory: string, running: number): string | undefined {
  try {
    const { bytes, files } = freeSpace(directory);
    if (bytes < leastFreeBytes)
      return `The disk of ${directory} has ${Math.floor(bytes / 1e6)} MB left; sessions start again above ${Math.ceil(leastFreeBytes / 1e6)} MB. Free some space, for example with \`${product.name} prune\` in a terminal.`;
    if (files < leastFreeFiles)
      return `The disk of ${directory} has room for only ${countText(files, "more file")} (inodes); sessions start again above ${leastFreeFiles}. Remove some files, for example with \`${product.name} prune\` in a terminal.`;
    const descriptors = spareDescriptors();
    if (descriptors < leastDescriptors)
      return `Waits for file descriptors: this process may open only ${descriptors} more. Raise the limit (\`ulimit -n\`), or lower \`concurrency\`.`;
    // The first session is tried anyway, because nothing else could show that there are too few.
    const threads = running === 0 ? leastThreads : spareThreads();
    if (threads < leastThreads)
      return `Waits for processes: the limit of this container or service allows only ${countText(threads, "more process or thread", "more processes and threads")}, and a session needs about ${leastThreads}. Raise it (\`--pids-limit\`, \`TasksMax\`), or lower \`concurrency\`.`;
    return undefined;
  } catch (error) {
    // The directory has gone: later writes to it will report that.
    return error instanceof Error && codeOf(error) !== undefined
      ? `The state directory ${directory} cannot be read: ${error.message}`
      : undefined;
  }
}
