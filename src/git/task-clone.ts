// A repository for each task, and what the task has changed in it.
import { freeSpace, ownSizeOf } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";
import { removeTree } from "../platform/trees.ts";
import {
  BundleTooLarge,
  borrowingCheckout,
  borrowingRepository,
  checkBundleSize,
  mostBundleBytes,
  refOf,
} from "./bundle.ts";
import { GitFailed, git, gitBytes, gitList, gitOrNothing, type Surroundings } from "./git.ts";
import { commitOf, treeOf, treeOfAllFiles } from "./working-tree.ts";

interface CloneParts {
  /** What it calls so, and then it has the branches of the repository; without it, neither. */
  origin?: string;
  /** Ends it, which is a failure. */
  signal?: AbortSignal | undefined;
}

/** What stays free on a disk when files are checked out, in bytes: the session will write some, too. */
const spareBytes = 100_000_000;

/**
 * Makes a repository of a task's own, with the files of a commit. It only borrows objects: what the task does to it reaches no
 * other task. Throws `GitFailed`, also if the disk has no room for the files.
 */
export async function cloneFor(
  repository: string,
  commit: string,
  directory: string,
  { origin, signal }: CloneParts = {},
): Promise<void> {
  // It may have waited for its turn for long.
  if (signal?.aborted) throw new GitFailed("it is not wanted any more");
  await checkRoom(repository, commit, directory);
  const where = { directory, signal };
  if (origin === undefined) await borrowingCheckout(directory, { from: repository, commit });
  else {
    const how = ["--quiet", "--shared", "--no-checkout", "--template=", "--origin=origin"];
    await git(["clone", ...how, "--", repository, directory], {
      directory: dirname(directory),
      reaches: "files",
      signal,
    });
    await git(["remote", "set-url", "origin", origin], where);
  }
  await git(["checkout", "--quiet", "--detach", commit], where);
}

/** How long the files of each commit are together, in bytes: it never changes. */
const sizes = new Map<string, number>();
const mostSizes = 1_000;

// A disk that is full in the middle would fail all others who write there.
async function checkRoom(repository: string, commit: string, directory: string): Promise<void> {
  const { bytes } = freeSpace(dirname(directory));
  const needed = sizes.get(commit) ?? (await sizeOfFiles(repository, commit));
  if (sizes.size >= mostSizes) sizes.clear();
  sizes.set(commit, needed);
  if (bytes >= needed + spareBytes) return;
  const [free, files] = [bytes, needed].map((one) => Math.floor(one / 1e6));
  throw new GitFailed(
    `No space left on the disk of ${dirname(directory)} for another task: ${free} MB are free, its files take ${files} MB, and ${spareBytes / 1e6} MB are kept for what it writes`,
    { isOutage: true },
  );
}

async function sizeOfFiles(repository: string, commit: string): Promise<number> {
  return sum(await filesOf(commit, { directory: repository }));
}

interface File {
  name: string;
  bytes: number;
}

async function filesOf(commit: string, where: Surroundings): Promise<File[]> {
  const entries = await gitList(["ls-tree", "-r", "-z", "--long", commit], where);
  return entries.flatMap((entry) => {
    const [, bytes, name] = /^\S+ blob \S+ +(\d+)\t(.*)$/s.exec(entry) ?? [];
    return name === undefined ? [] : [{ name, bytes: Number(bytes) }];
  });
}

function sum(files: readonly File[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

/** What a task has changed, until disposed of. */
export interface TaskChanges extends AsyncDisposable {
  /** On top of the commit that was checked out. */
  commit: string;
  /** How many files differ. */
  files: number;
  /** Writes a file with the commit, for who has the one below. Throws `GitFailed`, also `BundleTooLarge`. */
  bundleTo(file: string, mostBytes?: number): Promise<void>;
  /** The differences, binary files included. Throws `GitFailed` if they are longer than this, in bytes. */
  patch(mostBytes: number): Promise<Uint8Array<ArrayBuffer>>;
}

interface Begun {
  /** That lent its objects to the task. */
  repository: string;
  /** What was checked out. */
  commit: string;
  /** Of the commit that is made. */
  message: string;
  /** New files are left out, the largest first, if they are longer than this together, in bytes. */
  mostBytes?: number;
  /** By how much the files of the commit may have grown together, in bytes: if it is more, none of them is read. */
  mostGrowth?: number;
  /** Hears what could not be read, or was left out, as a sentence. */
  left(says: string): void;
}

/**
 * What differs in the directory of a task from the commit that was checked out, whatever its session has committed since;
 * undefined if nothing does. Throws `GitFailed`, also `BundleTooLarge`.
 */
export async function changesIn(
  directory: string,
  { repository, commit, message, mostBytes = mostBundleBytes, mostGrowth = mostBundleBytes, left }: Begun,
): Promise<TaskChanges | undefined> {
  // Read by a repository that the session never had in its hands: in its own, it may have named programs to run.
  const own = `${directory}.git`;
  const dispose = () => removeTree(own);
  let changes: TaskChanges | undefined;
  try {
    await dispose();
    await borrowingRepository(own, { from: repository, commit });
    const where = { directory, repository: own };
    await checkGrowth(commit, mostGrowth, where);
    await git(["read-tree", commit], where);
    const tree = await treeOfAllFiles(where, { mostBytes, left });
    if (tree !== (await treeOf(commit, where))) {
      const made = await commitOf(tree, { on: commit, message }, where);
      changes = { ...(await readable(made, { commit, where, own })), [Symbol.asyncDispose]: dispose };
    }
    return changes;
  } finally {
    if (!changes) await dispose();
  }
}

// Git reads all files that may have changed, and stores what it reads, before it is known how long that is. One that is as long as
// it was, or shorter, had its room when it came here.
async function checkGrowth(commit: string, mostGrowth: number, where: Surroundings): Promise<void> {
  const grown = (await filesOf(commit, where)).flatMap(({ name, bytes: before }) => {
    const bytes = ownSizeOf(join(where.directory, name)) - before;
    return bytes > 0 ? [{ name, bytes }] : [];
  });
  if (sum(grown) <= mostGrowth) return;
  const filtered = await filteredAmong(grown, where);
  const bytes = sum(grown.filter(({ name }) => !filtered.has(name)));
  if (bytes > mostGrowth) throw new BundleTooLarge(bytes, mostGrowth);
}

// Those that a filter of the user's, such as Git LFS, makes longer than the commit has them.
async function filteredAmong(files: readonly File[], where: Surroundings): Promise<Set<string>> {
  const keys = (await gitOrNothing(["config", "--name-only", "--get-regexp", "^filter\\."], where)) ?? "";
  const filters = new Set(keys.split("\n").map((key) => key.replace(/^filter\.|\.[^.]*$/g, "")));
  const input = new Blob(files.map(({ name }) => `${name}\0`)).stream();
  const said = await gitList(["check-attr", "-z", "--stdin", "filter"], { ...where, input });
  const names = said.flatMap((name, index) =>
    index % 3 === 0 && filters.has(said[index + 2] ?? "") ? [name] : [],
  );
  return new Set(names);
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
    bundleTo: async (file, mostBytes) => {
      await git(["update-ref", refOf(made), made], where);
      await git(["bundle", "create", "--quiet", file, refOf(made), `^${commit}`], { directory: own });
      checkBundleSize(file, mostBytes);
    },
    patch: (mostBytes) =>
      gitBytes([...differences, "--binary", "--full-index", "-p", commit, made], { ...where, mostBytes }),
  };
}
