// Watches a directory for changed files.
// Bun has no call that watches a folder.
import { watch } from "node:fs";

/** When a changed file is reported a second time, in milliseconds. */
const againMs = 15;

/** Calls `changed` with the name of every changed file. A watch may fail or miss changes, so callers must also poll. */
export function watchDirectory(path: string, changed: (name: string) => void): Disposable {
  // Bun 1.4 drops a change within a fraction of a millisecond after another of the same file (6 of 100 were lost). So
  // each name is reported again after the file has settled.
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
    // No watches left (the limit is by user), or a file system without them: polling still works.
    return { [Symbol.dispose]: () => undefined };
  }
}
