// Writes to descriptors that somebody reads: pipes, terminals, files. Everything arrives, once and in order.
// Bun has no call that writes to a descriptor once and says how much was taken: `Bun.write` sends the beginning of a long text twice.
import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { systemCode } from "./system-error.ts";

/** Delay between two attempts to write to a full pipe or terminal, in milliseconds: at first, and at most. */
const againMs = { first: 1, most: 20 } as const;

/**
 * A non-blocking descriptor of the terminal behind another descriptor; undefined if it cannot be opened. The other one is
 * unchanged: it shares its file description with the shell, so it must stay blocking.
 */
export function openWithoutWaiting(descriptor: number): number | undefined {
  if (process.platform === "win32") return undefined;
  const path = process.platform === "linux" ? `/proc/self/fd/${descriptor}` : "/dev/tty";
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A terminal of another user (after `su`), or one without a name: then writes may block.
    return undefined;
  }
}

/**
 * Writes everything, however slow the reader. Does not block the process: a full pipe blocks only a thread. `Bun.write`
 * cannot do this: it sends the beginning twice if the text exceeds the pipe. Throws if the reader has gone
 * (`isReaderGone`) or the disk is full.
 */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  let pauseMs: number = againMs.first;
  while (rest.length > 0) {
    const written = await writeSome(descriptor, rest);
    rest = rest.subarray(written);
    if (written > 0) pauseMs = againMs.first;
    else {
      await Bun.sleep(pauseMs);
      pauseMs = Math.min(againMs.most, pauseMs * 2);
    }
  }
}

/** Like `writeAll`, but synchronous: for the end of a process, or one that does nothing else. */
export function writeAllNow(descriptor: number, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if (!isFull(error)) throw error;
      Bun.sleepSync(againMs.first);
    }
  }
}

/** Whether a write failed because nobody reads any more, as after `| head`. */
export function isReaderGone(error: unknown): boolean {
  return systemCode(error) === "EPIPE";
}

/** Whether a descriptor is a file, and not a reader such as a pipe or a terminal. */
export function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    // Closed.
    return false;
  }
}

/** Whether two descriptors lead to the same pipe, terminal or file, as after `2>&1`. */
export function leadToTheSame(descriptor: number, other: number): boolean {
  try {
    const [one, two] = [fstatSync(descriptor), fstatSync(other)];
    return one.dev === two.dev && one.ino === two.ino;
  } catch {
    // Closed.
    return false;
  }
}

// How many bytes were written; 0 if the pipe or terminal is full and non-blocking.
function writeSome(descriptor: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
    if (error === null) resolve(written);
    else if (isFull(error)) resolve(0);
    else reject(error);
  });
  return promise;
}

// Somebody made the pipe or the terminal non-blocking.
function isFull(error: unknown): boolean {
  return systemCode(error) === "EAGAIN";
}
