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

/** How long a look counts at most, in milliseconds, if it found enough. */
const freshMs = 100;

/** What a look at the system found. */
type Found =
  /** Why no session may start now, in words for people. */
  | { kind: "lacking"; because: string }
  /** How many sessions may start before the next look. */
  | { kind: "enough"; sessions: number };

/** Looks again after 100 ms, or earlier if what has started since may have used up what the last look found. */
export class SystemResources {
  readonly #directory: string;
  #freshUntil = Number.NEGATIVE_INFINITY;
  /** How many more sessions may start before the next look. */
  #sessions = 0;

  /** `directory`: where the files of sessions are. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A session starts, and uses some of what the last look found. */
  started(): void {
    this.#sessions--;
  }

  /** Why no session may start now, in words for people; undefined if nothing is lacking. `running`: sessions of ours. */
  lack(running: number): string | undefined {
    if (this.#sessions > 0 && performance.now() < this.#freshUntil) return undefined;
    const found = lookAt(this.#directory, running);
    this.#freshUntil = performance.now() + freshMs;
    this.#sessions = found.kind === "enough" ? found.sessions : 0;
    return found.kind === "lacking" ? found.because : undefined;
  }
}

function lookAt(directory: string, running: number): Found {
  try {
    const { bytes, files } = freeSpace(directory);
    if (bytes < leastFreeBytes)
      return lacking(
        `The disk of ${directory} has ${Math.floor(bytes / 1e6)} MB left; sessions start again above ${Math.ceil(leastFreeBytes / 1e6)} MB. Free some space, for example with \`${product.name} prune\` in a terminal.`,
      );
    if (files < leastFreeFiles)
      return lacking(
        `The disk of ${directory} has room for only ${countText(files, "more file")} (inodes); sessions start again above ${leastFreeFiles}. Remove some files, for example with \`${product.name} prune\` in a terminal.`,
      );
    const descriptors = spareDescriptors();
    if (descriptors < leastDescriptors)
      return lacking(
        `Waits for file descriptors: this process may open only ${descriptors} more. Raise the limit (\`ulimit -n\`), or lower \`concurrency\`.`,
      );
    // The first session is tried anyway, because nothing else could show that there are too few.
    const threads = running === 0 ? leastThreads : spareThreads();
    if (threads < leastThreads)
      return lacking(
        `Waits for processes: the limit of this container or service allows only ${countText(threads, "more process or thread", "more processes and threads")}, and a session needs about ${leastThreads}. Raise it (\`--pids-limit\`, \`TasksMax\`), or lower \`concurrency\`.`,
      );
    const times = [files / leastFreeFiles, descriptors / leastDescriptors, threads / leastThreads];
    return { kind: "enough", sessions: Math.floor(Math.min(...times)) };
  } catch (error) {
    // The directory has gone: later writes to it will report that.
    return error instanceof Error && codeOf(error) !== undefined
      ? lacking(`The state directory ${directory} cannot be read: ${error.message}`)
      : { kind: "enough", sessions: 0 };
  }
}

function lacking(because: string): Found {
  return { kind: "lacking", because };
}
