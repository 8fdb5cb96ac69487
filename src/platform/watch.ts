// Tells when a file in a directory grew.
import { watch } from "node:fs";

/**
 * Calls `changed` with a file's name whenever something happens to it. A watch may fail or miss things,
 * so that whoever uses it looks for himself from time to time.
 */
export function watchDirectory(path: string, changed: (name: string) => void): Disposable {
  try {
    const watcher = watch(path, (_, name) => {
      if (name !== null) changed(name);
    });
    watcher.on("error", () => watcher.close());
    return { [Symbol.dispose]: () => watcher.close() };
  } catch {
    // No watches left (they are counted by user), or a file system that has none: the regular look does it.
    return { [Symbol.dispose]: () => undefined };
  }
}
