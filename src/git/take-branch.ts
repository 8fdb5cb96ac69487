// What a task has changed elsewhere becomes a branch here, and leaves all else in the repository as it is.
import { join } from "../platform/paths.ts";
import { temporaryFolder } from "../platform/temporary-folder.ts";
import { countText } from "../report/amounts.ts";
import { GitFailed, git, gitOrNothing } from "./git.ts";
import { commitOf } from "./working-tree.ts";

/** The branch that has the changes, or why there is none, as a sentence. */
export type Taken = { ok: true; branch: string } | { ok: false; because: string };

/** The most branches of one name: a task that is retried gets another one. */
const mostBranches = 100;

interface Returned {
  branch: string;
  /** Brings the commit into the repository. Throws `GitFailed`. */
  commit(): Promise<string>;
}

/**
 * Makes a branch of this name with a commit, unless it is there; if there is one with other contents, `NAME-2`. Neither the working
 * tree nor any other branch changes.
 */
export async function takeBranch(root: string, { branch, commit: bring }: Returned): Promise<Taken> {
  const where = { directory: root };
  try {
    const commit = await bring();
    for (let number = 1; number <= mostBranches; number++) {
      const name = number === 1 ? branch : `${branch}-${number}`;
      const taken = await gitOrNothing(["rev-parse", "--verify", "--quiet", `refs/heads/${name}`], where);
      if (taken === commit) return { ok: true, branch: name };
      if (taken !== undefined) continue;
      // Only if nobody has made it meanwhile.
      await git(["update-ref", `refs/heads/${name}`, commit, ""], where);
      return { ok: true, branch: name };
    }
    return { ok: false, because: `There are ${mostBranches} branches ${branch} already.` };
  } catch (error) {
    if (error instanceof GitFailed)
      return { ok: false, because: `The changes could not be put into ${root}: ${error.message}.` };
    throw error;
  }
}

/** What to say of changes that are here now. */
export function branchRemark(files: number, branch: string): string {
  return `Its changes to ${countText(files, "file")} are in the branch ${branch}.`;
}

interface Patched {
  /** The commit on which the patch stands. */
  base: string;
  /** The file of the patch. */
  patch: string;
  branch: string;
  message: string;
}

/** The same with a patch of a task's changes, which must fit exactly. */
export function takePatch(root: string, { base, patch, branch, message }: Patched): Promise<Taken> {
  return takeBranch(root, {
    branch,
    commit: async () => {
      using folder = temporaryFolder();
      const where = { directory: root, index: join(folder.path, "index") };
      await git(["read-tree", base], where);
      await git(["apply", "--cached", "--whitespace=nowarn", "--no-ignore-whitespace", patch], where);
      const tree = await git(["write-tree"], where);
      return await commitOf(tree, { on: await withHistory(base, root), message }, where);
    },
  });
}

/** The message of a commit that has the files of another one, and not its history. */
export function aloneMessage(commit: string): string {
  return `The files of ${commit}`;
}

async function withHistory(commit: string, root: string): Promise<string> {
  const message = await git(["show", "--no-patch", "--format=%B", commit], { directory: root });
  const other = /^The files of ([0-9a-f]+)$/.exec(message.trim())?.[1];
  return other !== undefined && message.trim() === aloneMessage(other) ? other : commit;
}
