// The repository that a directory lies in.
import { kindAt, readHead } from "../platform/files.ts";
import { dirname, join, resolve } from "../platform/paths.ts";

export interface Repository {
  /** Where its files begin: in a linked worktree, the root of that. */
  root: string;
  /** The root of the main worktree; the same where this is no linked one. */
  main: string;
}

/** Nothing where the directory, whose symbolic links are resolved, lies in none. */
export function repositoryOf(directory: string): Repository | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const git = join(at, ".git");
    const kind = kindAt(git);
    if (kind === "directory") return { root: at, main: at };
    if (kind === "file") {
      const [, main] =
        /^gitdir: (.+)[\\/]\.git[\\/]worktrees[\\/]/.exec(
          readHead(git, 5_000, { followsLinks: true }) ?? "",
        ) ?? [];
      return { root: at, main: main === undefined ? at : resolve(at, main) };
    }
    if (dirname(at) === at) return undefined;
  }
}
