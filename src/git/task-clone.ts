// A repository for each task, and what the task has changed in it.
import { dirname } from "../platform/paths.ts";
import { removeTree } from "../platform/trees.ts";
import { borrowingCheckout, borrowingRepository, refOf } from "./bundle.ts";
import { git, gitBytes, gitList, type Surroundings } from "./git.ts";
import { commitOf, treeOf, treeOfAllFiles } from "./working-tree.ts";

/**
 * Makes a repository of a task's own, with the files of a commit. It only borrows objects: what the task does to it reaches no
 * other task. `origin`: what it calls so, and then it has the branches of the repository; without it, neither. Throws `GitFailed`.
 */
export async function cloneFor(
  repository: string,
  commit: string,
  directory: string,
  origin?: string,
): Promise<void> {
  const where = { directory };
  if (origin === undefined) await borrowingCheckout(directory, { from: repository, commit });
  else {
    const how = ["--quiet", "--shared", "--no-checkout", "--template=", "--origin=origin"];
    await git(["clone", ...how, "--", repository, directory], {
      directory: dirname(directory),
      reaches: "files",
    });
    await git(["remote", "set-url", "origin", origin], where);
  }
  await git(["checkout", "--quiet", "--detach", commit], where);
}

/** What a task has changed, until disposed of. */
export interface TaskChanges extends AsyncDisposable {
  /** On top of the commit that was checked out. */
  commit: string;
  /** How many files differ. */
  files: number;
  /** Writes a file with the commit, for who has the one below. Throws `GitFailed`. */
  bundleTo(file: string): Promise<void>;
  /** The differences, binary files included. Throws `GitFailed`. */
  patch(): Promise<Uint8Array<ArrayBuffer>>;
}

interface Begun {
  /** That lent its objects to the task. */
  repository: string;
  /** What was checked out. */
  commit: string;
  /** Of the commit that is made. */
  message: string;
  /** Hears what could not be read, as a sentence. */
  left(says: string): void;
}

/**
 * What differs in the directory of a task from the commit that was checked out, whatever its session has committed since;
 * undefined if nothing does. Throws `GitFailed`.
 */
export async function changesIn(
  directory: string,
  { repository, commit, message, left }: Begun,
): Promise<TaskChanges | undefined> {
  // Read by a repository that the session never had in its hands: in its own, it may have named programs to run.
  const own = `${directory}.git`;
  const dispose = () => removeTree(own);
  let changes: TaskChanges | undefined;
  try {
    await dispose();
    await borrowingRepository(own, { from: repository, commit });
    const where = { directory, repository: own };
    await git(["read-tree", commit], where);
    const tree = await treeOfAllFiles(where, left);
    if (tree !== (await treeOf(commit, where))) {
      const made = await commitOf(tree, { on: commit, message }, where);
      changes = { ...(await readable(made, { commit, where, own })), [Symbol.asyncDispose]: dispose };
    }
    return changes;
  } finally {
    if (!changes) await dispose();
  }
}

interface Reading {
  commit: string;
  where: Surroundings;
  own: string;
}

async function readable(
  made: string,
  { commit, where, own }: Reading,
): Promise<Omit<TaskChanges, typeof Symbol.asyncDispose>> {
  // Of the commands for differences, the one that no configuration changes.
  const differences = ["diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv"];
  const names = await gitList([...differences, "-z", "--name-only", commit, made], where);
  return {
    commit: made,
    files: names.length,
    bundleTo: async (file) => {
      await git(["update-ref", refOf(made), made], where);
      await git(["bundle", "create", "--quiet", file, refOf(made), `^${commit}`], { directory: own });
    },
    patch: () => gitBytes([...differences, "--binary", "--full-index", "-p", commit, made], where),
  };
}
