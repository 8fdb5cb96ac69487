// Writing to a terminal without waiting for it: one that was stopped by Ctrl-S must not stop who writes.
import { constants, openSync, writeSync } from "node:fs";

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

/** Writes what the terminal takes now, and gives how many bytes that were. Throws when it has gone. */
export function writeWhatFits(descriptor: number, bytes: Uint8Array): number {
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
