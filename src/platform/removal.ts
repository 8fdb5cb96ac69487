// Removes files and folders, also where other programs have them open for a moment.
// Bun has no call that removes a folder, or looks at a link itself.
import { lstatSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { join } from "./paths.ts";
import { systemCode } from "./system-error.ts";

/** How long to wait for others to close a file on Windows, in milliseconds. */
export const openElsewhereMs = 1_000;

/** Whether an error may only mean that another program, such as a browser or a virus scanner, has the file open. */
export function mayBeOpenElsewhere(error: unknown): boolean {
  return ["EPERM", "EBUSY", "EACCES"].includes(systemCode(error) ?? "");
}

/** Removes a file, or a folder and its contents; does nothing if there is none. */
export function removePath(path: string): void {
  if (process.platform === "win32") removeOnWindows(path, performance.now() + openElsewhereMs);
  else rmSync(path, { recursive: true, force: true });
}

// One after the other: a call for the whole folder does not say which file was open, and Bun's own (1.4.5) tries for ever
// where a removed file keeps its name until it is closed, as on file systems without POSIX removal and under Wine. One
// deadline for all of them, because the caller waits.
function removeOnWindows(path: string, deadline: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  const isLink = found.isSymbolicLink();
  if (!isLink && !found.isDirectory()) untilClosed(() => unlinkSync(path), deadline);
  else {
    // What a link leads to is not ours, and a link to a folder is removed as a folder is.
    if (!isLink) for (const name of readdirSync(path)) removeOnWindows(join(path, name), deadline);
    untilClosed(() => (isLink && !leadsToFolder(path) ? unlinkSync(path) : rmdirSync(path)), deadline);
  }
}

function leadsToFolder(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function untilClosed(remove: () => void, deadline: number): void {
  for (let pauseMs = 5; ; pauseMs *= 2) {
    try {
      remove();
      return;
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOENT") return;
      // A folder is not empty as long as somebody has a removed file in it open.
      const mayPass = code === "ENOTEMPTY" || mayBeOpenElsewhere(error);
      if (!mayPass || performance.now() + pauseMs > deadline) throw error;
      Bun.sleepSync(pauseMs);
    }
  }
}
