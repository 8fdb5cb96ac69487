// A worker's side of the work: a directory with the files of a task, and what the task has changed in it.
import { isDirectory, makePrivateDirectory, realPath } from "../platform/files.ts";
import { foldersIn } from "../platform/folders.ts";
import { isWithin, join } from "../platform/paths.ts";
import { livenessOf, ownIdentity } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";
import { removePath } from "../platform/removal.ts";
import { messageOf } from "../platform/system-error.ts";
import { placeDirectory, removeTree } from "../platform/trees.ts";
import { replaceFile } from "../platform/whole-files.ts";
import { BlobError, type BlobStore } from "./blobs.ts";
import { authorship, GitFailed, git, gitOrNothing } from "./git.ts";
import { type Changes, refOf, type Work } from "./work.ts";

/** Why the files of a task cannot be had, as a sentence. */
export class WorkFailed extends Error {
  /** Whether it may be different later, or on another machine. */
  readonly isTemporary: boolean;

  constructor(message: string, { isTemporary }: { isTemporary: boolean }) {
    super(message);
    this.isTemporary = isTemporary;
  }
}

export interface OpenWork extends AsyncDisposable {
  /** Where the session works. Absolute. */
  directory: string;
  /** What differs from the files that the task got; undefined if nothing does, or if it works in place. */
  changes(as: { name: string; message: string }): Promise<Changes | undefined>;
}

interface Worker {
  /** Where clones and working directories are, of this machine's workers alone. */
  folder: string;
  blobs: Pick<BlobStore, "put" | "getTo">;
  /** The directories of a shared file system that tasks may work in. Absolute. */
  directories: readonly string[];
}

/** The directory of a task; its files are there. Throws `WorkFailed`. */
export async function openWork(work: Work, worker: Worker): Promise<OpenWork> {
  switch (work.kind) {
    case "shared":
      return shared(work.path, worker);
    case "empty":
      return inOwnDirectory(worker, async () => ({ below: "", changes: async () => undefined }));
    case "git":
      return await inOwnDirectory(worker, (directory) => checkedOut(work, directory, worker));
  }
}

// A link may have come into the path since the policy looked at it.
function shared(path: string, { directories }: Worker): OpenWork {
  const real = realPath(path);
  if (!isDirectory(real))
    throw new WorkFailed(`${path} does not exist on this worker.`, { isTemporary: true });
  if (!directories.some((one) => isWithin(real, realPath(one))))
    throw new WorkFailed(`${path} leads to ${real}, outside the shared directories.`, { isTemporary: false });
  return { directory: real, changes: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
}

type Filled = Pick<OpenWork, "changes"> & { below: string };

async function inOwnDirectory(
  { folder }: Worker,
  fill: (directory: string) => Promise<Filled>,
): Promise<OpenWork> {
  const directory = join(await ownFolder(folder), crypto.randomUUID());
  // What cannot be removed now is removed with what other workers left behind.
  const remove = () => removeTree(directory).catch(() => undefined);
  try {
    makePrivateDirectory(directory);
    const { below, changes } = await fill(directory);
    const inner = below === "" ? directory : join(directory, ...below.split("/"));
    if (!isDirectory(inner) || !isWithin(realPath(inner), realPath(directory)))
      throw new WorkFailed(`The commit has no directory ${below}.`, { isTemporary: false });
    return { directory: inner, changes, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    if (error instanceof GitFailed || error instanceof BlobError)
      throw new WorkFailed(`The files of the task cannot be had: ${error.message.replace(/\.$/, "")}.`, {
        isTemporary: true,
      });
    throw error;
  }
}

/** Of this process, in each folder. */
const ownName = crypto.randomUUID();

// Who it belongs to is written into it, so that it can be removed once that process has gone.
async function ownFolder(folder: string): Promise<string> {
  const own = join(folder, "tasks", ownName);
  if (isDirectory(own)) return own;
  makePrivateDirectory(own);
  await replaceFile(join(own, ownerFile), JSON.stringify(ownIdentity()));
  return own;
}

const ownerFile = "owner.json";

/** Removes what workers that were killed have left in a folder. */
export async function removeLeftWork(folder: string): Promise<void> {
  const tasks = join(folder, "tasks");
  for (const name of foldersIn(tasks)) {
    const owner = await ownerOf(join(tasks, name));
    if (owner && livenessOf(owner) === "dead") await removeTree(join(tasks, name));
  }
}

async function ownerOf(folder: string): Promise<ProcessIdentity | undefined> {
  try {
    return processIdentity.parse(await Bun.file(join(folder, ownerFile)).json());
  } catch {
    // Its worker is about to write it, or was killed before it could: then the folder is empty.
    return undefined;
  }
}

type GitWork = Extract<Work, { kind: "git" }>;

async function checkedOut(work: GitWork, directory: string, worker: Worker): Promise<Filled> {
  const { url, commit, below } = work;
  const mirror = await mirrorWith(work, worker);
  const where = { directory };
  // A repository of its own, which only borrows objects: what a task does to it reaches no other task.
  await git(["clone", "--quiet", "--shared", "--no-checkout", "--template=", mirror, directory], {
    directory: worker.folder,
  });
  await git(["remote", "set-url", "origin", url], where);
  await git(["checkout", "--quiet", "--detach", commit], where);
  return { below, changes: (as) => changesIn(directory, { mirror, commit, worker, ...as }) };
}

/** One fetch at a time for each mirror of this process; those of other processes wait for Git's own locks. */
const fetching = new Map<string, Promise<void>>();

// The one clone of a repository on this machine, which has the commit.
async function mirrorWith(work: GitWork, worker: Worker): Promise<string> {
  const { folder } = worker;
  const digest = new Bun.CryptoHasher("sha256").update(work.url).digest("hex").slice(0, 24);
  const mirrors = join(folder, "mirrors");
  makePrivateDirectory(mirrors);
  const mirror = join(mirrors, `${digest}.git`);
  const before = fetching.get(mirror);
  const own = (async () => {
    // Whatever became of another task's fetch is that task's.
    await before?.catch(() => undefined);
    await fetched(mirror, work, worker);
  })();
  fetching.set(mirror, own);
  try {
    await own;
  } finally {
    if (fetching.get(mirror) === own) fetching.delete(mirror);
  }
  return mirror;
}

async function fetched(mirror: string, work: GitWork, worker: Worker): Promise<void> {
  const { url, commit, bundle } = work;
  if (!isDirectory(mirror)) await makeMirror(mirror);
  const where = { directory: mirror };
  const isThere = async () =>
    (await gitOrNothing(["cat-file", "-e", `${commit}^{tree}`], where)) !== undefined;
  if (await isThere()) return;
  const everything = () =>
    git(
      [
        "fetch",
        "--quiet",
        "--no-write-fetch-head",
        // A branch `a` that is gone would be in the way of `a/b`.
        "--prune",
        "--",
        url,
        "+refs/heads/*:refs/heads/*",
        "+refs/tags/*:refs/tags/*",
      ],
      where,
    );
  if (!bundle) {
    try {
      await everything();
    } catch (error) {
      // One branch of many may not fit.
      if (!(error instanceof GitFailed) || !(await isThere())) throw error;
    }
    if (await isThere()) return;
    // A commit that no branch has, such as that of a pull request.
    await gitOrNothing(["fetch", "--quiet", "--no-write-fetch-head", "--", url, commit], where);
    if (await isThere()) return;
    throw new WorkFailed(`${url} does not have the commit ${commit}.`, { isTemporary: false });
  }
  const file = `${mirror}-${crypto.randomUUID()}.bundle`;
  try {
    await worker.blobs.getTo(bundle, file);
    const take = () =>
      git(
        ["fetch", "--quiet", "--no-write-fetch-head", "--", file, `+${refOf(commit)}:${refOf(commit)}`],
        where,
      );
    // It stands on commits that the mirror may have already.
    try {
      await take();
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
      await everything();
      await take();
    }
    if (!(await isThere()))
      throw new WorkFailed(`The bundle does not have the commit ${commit}.`, { isTemporary: false });
  } finally {
    removePath(file);
  }
}

// Whole, or not at all: another process may make the same one.
async function makeMirror(mirror: string): Promise<void> {
  const beside = `${mirror}-${crypto.randomUUID()}`;
  await git(["init", "--quiet", "--bare", "--template=", beside], { directory: join(mirror, "..") });
  if (!(await placeDirectory(beside, mirror))) await removeTree(beside);
}

interface Changing {
  mirror: string;
  /** What was checked out. */
  commit: string;
  worker: Worker;
  name: string;
  message: string;
}

// By a repository that the session never had in its hands: in its own, it may have named programs to run.
async function changesIn(
  directory: string,
  { mirror, commit, worker, name, message }: Changing,
): Promise<Changes | undefined> {
  const own = `${directory}.git`;
  const file = `${directory}.bundle`;
  try {
    await git(["init", "--quiet", "--bare", "--template=", own], { directory: worker.folder });
    await Bun.write(join(own, "objects", "info", "alternates"), `${join(mirror, "objects")}\n`);
    const where = { directory, variables: { GIT_DIR: own, GIT_WORK_TREE: directory } };
    await git(["read-tree", commit], where);
    await git(["add", "--all"], where);
    const tree = await git(["write-tree"], where);
    if (tree === (await git(["rev-parse", `${commit}^{tree}`], where))) return undefined;
    const date = await git(["show", "--no-patch", "--format=%cI", commit], where);
    const made = await git(["commit-tree", tree, "-p", commit, "-m", message], {
      ...where,
      variables: { ...where.variables, ...authorship(date) },
    });
    const names = await git(["diff-tree", "-r", "-z", "--name-only", "--no-commit-id", commit, made], where);
    await git(["update-ref", refOf(made), made], where);
    await git(["bundle", "create", "--quiet", file, refOf(made), `^${commit}`], where);
    const bundle = await worker.blobs.put(name, { file });
    return { commit: made, bundle, files: names.split("\0").filter((one) => one !== "").length };
  } catch (error) {
    if (error instanceof GitFailed)
      throw new WorkFailed(`The changes of the task cannot be read: ${messageOf(error)}.`, {
        isTemporary: false,
      });
    throw error;
  } finally {
    removePath(file);
    await removeTree(own);
  }
}
