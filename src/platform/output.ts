// Writing to descriptors that somebody reads: pipes, terminals, files. Whatever they are, all of it arrives, once and
// in order.
// Bun has no call that writes to a descriptor once and says how much was taken: `Bun.write` sends the beginning of a long text twice.
import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { systemCode } from "./system-error.ts";

/** Between two tries to write to what takes nothing at the moment, in milliseconds: at first, and at most. */
const againMs = { first: 1, most: 20 } as const;

/**
 * A descriptor of the terminal behind another one, which never waits; nothing where there is no way to one. The other
 * stays as it is: its file description is shared with the shell, and must not become non-blocking.
 */
export function openWithoutWaiting(descriptor: number): number | undefined {
  if (process.platform === "win32") return undefined;
  const path = process.platform === "linux" ? `/proc/self/fd/${descriptor}` : "/dev/tty";
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A terminal of another user (after `su`), or none that can be named: then it is written to as ever.
    return undefined;
  }
}

/**
 * Writes all of it, however slow the reader is, and lets the process go on meanwhile: a full pipe holds up a thread,
 * and no session. `Bun.write` is no way to do it: of more than a pipe holds, it sends the beginning twice. Throws when
 * the reader has gone (`isReaderGone`), or the disk is full.
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

/** Like `writeAll`, but before the call returns: for the last moment of a process, or its only one. */
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

/** Whether a write failed because nobody reads any more, as behind `| head`. */
export function isReaderGone(error: unknown): boolean {
  return systemCode(error) === "EPIPE";
}

/** Whether what is written goes into a file, and not to somebody who reads it now. */
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

// How many bytes were taken; none where the pipe or terminal is full and does not wait.
function writeSome(descriptor: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
    if (error === null) resolve(written);
    else if (isFull(error)) resolve(0);
    else reject(error);
  });
  return promise;
}

// Somebody has made the pipe or the terminal non-blocking.
function isFull(error: unknown): boolean {
  return systemCode(error) === "EAGAIN";
}
