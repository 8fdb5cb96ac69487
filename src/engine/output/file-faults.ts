// What happens to a write that fails: it is tried again where that may help, and reported where it may not.
import type { EventBody } from "../../model/event.ts";
import { codeOf, messageOf, systemCode } from "../../platform/system-error.ts";
import { makeDirectory } from "../../platform/whole-files.ts";
import type { BatchLog } from "../../store/batch-log.ts";

/** A batch reports no more than this many. */
export const mostFaults = 20;
/** A full disk, or too few descriptors, may be temporary: reported after this time, in milliseconds. */
const passingMs = 30_000;

/** Errors of a disk, of a process and, on Windows, of a program that has the file open. */
const passing = new Set([
  "ENOSPC",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "EAGAIN",
  "ENOMEM",
  "EBUSY",
  ...(process.platform === "win32" ? ["EPERM", "EACCES"] : []),
]);

interface FaultParts {
  log: BatchLog;
  /** Created again if it is missing. */
  directory(): string;
  /** Whether nobody tries again later: then everything is reported at once. */
  isFinal(): boolean;
  report(body: EventBody): void;
}

export class FileFaults {
  readonly #parts: FaultParts;
  /** Since when paths cannot be written, on the monotonic clock. */
  readonly #failingSince = new Map<string, number>();
  /** Whether files that were written are missing, because somebody removed them or their directory. */
  hasLostFiles = false;

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  /** Writes something at a path. Throws only what no disk causes. */
  async guard(path: string, write: () => Promise<void>): Promise<void> {
    try {
      await this.#inDirectory(write);
      this.#failingSince.delete(path);
    } catch (error) {
      // The page reads the store too.
      const code = codeOf(error);
      if (code === undefined) throw error;
      const since = this.#failingSince.get(path) ?? performance.now();
      this.#failingSince.set(path, since);
      const mayPass = passing.has(code) && !this.#parts.isFinal() && performance.now() - since < passingMs;
      if (!mayPass) this.report(path, messageOf(error));
    }
  }

  /** Reports a path once. */
  report(path: string, message: string): void {
    const { fileFailures } = this.#parts.log.state;
    if (fileFailures.has(path) || fileFailures.size >= mostFaults) return;
    this.#parts.report({ type: "file-failed", path, message });
  }

  async #inDirectory(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      // Removed meanwhile: create it again, because later files are still wanted.
      if (systemCode(error) !== "ENOENT") throw error;
      await makeDirectory(this.#parts.directory());
      this.hasLostFiles = true;
      await write();
    }
  }
}
