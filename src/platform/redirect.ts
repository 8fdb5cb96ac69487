// The file that this process prints into, and how it goes on in another one.
// Bun has no call that says to which file a descriptor leads, and none that renames a file before it returns.
import { closeSync, fstatSync, openSync, renameSync, statSync } from "node:fs";

/** Whether a descriptor leads to the file that is at a path now. */
export function leadsTo(descriptor: number, path: string): boolean {
  try {
    const [one, other] = [fstatSync(descriptor), statSync(path)];
    return one.isFile() && one.dev === other.dev && one.ino === other.ino;
  } catch {
    // Closed, or there is no such file.
    return false;
  }
}

/** Gives a file another name. Who has it open goes on to write into it. */
export function rename(from: string, to: string): void {
  renameSync(from, to);
}

/**
 * From now on, what goes to these descriptors is appended to a file, which is private to the user if it is new. Without the
 * call for it, as on Windows, they stay as they are.
 */
export async function redirect(descriptors: readonly number[], path: string): Promise<void> {
  const duplicate = await systemCall();
  if (!duplicate) return;
  const file = openSync(path, "a", 0o600);
  for (const descriptor of descriptors) duplicate(file, descriptor);
  closeSync(file);
}

const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libSystem.B.dylib"];

async function systemCall(): Promise<((from: number, to: number) => number) | undefined> {
  if (process.platform === "win32") return undefined;
  const { dlopen } = await import("bun:ffi");
  for (const library of libraries) {
    try {
      return dlopen(library, { dup2: { args: ["i32", "i32"], returns: "i32" } }).symbols.dup2;
    } catch {
      // Another C library, or a system that forbids the call.
    }
  }
  return undefined;
}
