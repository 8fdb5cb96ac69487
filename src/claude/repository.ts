// The repository around a directory.
import { kindAt, readHead } from "../platform/files.ts";
import { dirname, join, resolve } from "../platform/paths.ts";

export interface Repository {
  /** The root of its working tree, linked or not. */
  root: string;
  /** The root of the main worktree; the same if this is no linked one. */
  main: string;
  /** Where Git keeps what concerns this working tree: `HEAD`, `index`. */
  folder: string;
}

/** Undefined if the directory, whose symbolic links are resolved, is in none. */
export function repositoryOf(directory: string): Repository | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const git = join(at, ".git");
    const kind = kindAt(git);
    if (kind === "directory") return { root: at, main: at, folder: git };
    if (kind === "file") {
      const text = readHead(git, 5_000, { followsLinks: true }) ?? "";
      const [, main] = /^gitdir: (.+)[\\/]\.git[\\/]worktrees[\\/]/.exec(text) ?? [];
      const [, folder = ""] = /^gitdir: (.+)/.exec(text) ?? [];
      return {
        root: at,
        main: main === undefined ? at : resolve(at, main),
        folder: resolve(at, folder.trim()),
      };
    }
    if (dirname(at) === at) return undefined;
  }
}
