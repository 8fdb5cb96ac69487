// Tells when a file in a directory grew.
// Bun has no call that watches a folder.
import { watch } from "node:fs";

/** How soon a file that has just changed is reported once more, in milliseconds. */
const againMs = 15;

/**
 * Calls `changed` with a file's name whenever something happens to it. A watch may fail or miss things,
 * so that its users also look from time to time.
 */
export function watchDirectory(path: string, changed: (name: string) => void): Disposable {
  // Bun 1.4 drops a change that follows another one of the same file within a fraction of a millisecond (6 of
  // 100 were lost), so that each name is reported a second time when the file has had time to settle.
  let recent = new Set<string>();
  let timer: Timer | undefined;
  const again = () => {
    timer = undefined;
    const names = recent;
    recent = new Set();
    for (const name of names) changed(name);
  };
  try {
    const watcher = watch(path, (_, name) => {
      if (name === null) return;
      changed(name);
      recent.add(name);
      timer ??= setTimeout(again, againMs);
    });
    watcher.on("error", () => watcher.close());
    return {
      [Symbol.dispose]: () => {
        watcher.close();
        clearTimeout(timer);
      },
    };
  } catch {
    // No watches left (they are counted by user), or a file system that has none: the regular look does it.
    return { [Symbol.dispose]: () => undefined };
  }
}
