// Watches a directory, or one file in it, for changes.
// Bun has no call that watches a folder.
import { watch } from "node:fs";
import { clock } from "./clock.ts";
import { basename, dirname } from "./paths.ts";

/** When a changed file is reported a second time, in milliseconds. */
const againMs = 15;

/** A watch, until it is disposed of. */
export interface Watch extends Disposable {
  /**
   * Whether it reports changes of files that stay open while they are written. Even then, it may miss one, so callers must
   * also look now and then.
   */
  readonly isReliable: boolean;
}

/** Calls `changed` with the name of every changed file, until disposed of. Without watches, a watch that reports nothing. Never throws. */
export function watchDirectory(path: string, changed: (name: string) => void): Watch {
  // Bun 1.4 drops a change within a fraction of a millisecond after another of the same file (6 of 100 were lost). So
  // each name is reported again after the file has settled.
  let recent = new Set<string>();
  let timer: Timer | undefined;
  let isOpen = true;
  const again = () => {
    timer = undefined;
    const names = recent;
    recent = new Set();
    // One before it may have disposed of the watch.
    for (const name of names) if (isOpen) changed(name);
  };
  try {
    const watcher = watch(path, (_, name) => {
      if (name === null || !isOpen) return;
      // Before the call, which may dispose of the watch.
      recent.add(name);
      timer ??= setTimeout(again, againMs);
      changed(name);
    });
    const close = () => {
      isOpen = false;
      watcher.close();
    };
    watcher.on("error", close);
    return {
      get isReliable() {
        return isOpen && process.platform === "linux";
      },
      [Symbol.dispose]: () => {
        close();
        clearTimeout(timer);
      },
    };
  } catch {
    // No watches left (the limit is by user), or a file system without them.
    return { isReliable: false, [Symbol.dispose]: () => undefined };
  }
}

/** Calls `changed` whenever a file may have changed, until disposed of: soon after a change, and at least once a second. */
export function watchFile(path: string, changed: () => void): Disposable {
  const name = basename(path);
  const watching = watchDirectory(dirname(path), (one) => {
    if (one === name) changed();
  });
  const ticking = clock.on(watching.isReliable ? "second" : "unwatched", changed);
  return {
    [Symbol.dispose]: () => {
      watching[Symbol.dispose]();
      ticking[Symbol.dispose]();
    },
  };
}
