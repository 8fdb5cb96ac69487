// A worker's side of the work: a directory with the files of a task, and what the task has changed in it.
import { BundleTooLarge, bareRepository, mostBundleBytes, takeBundle } from "../git/bundle.ts";
import { GitFailed } from "../git/git.ts";
import { fetchAll, fetchCommit, hasCommit } from "../git/mirror.ts";
import { changesIn, cloneFor } from "../git/task-clone.ts";
import { TurnPerKey } from "../model/once.ts";
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
import type { Changes, Work } from "./work.ts";

/** Why the files of a task cannot be had, as a sentence. */
export class WorkFailed extends Error {
  /** Whether it may be different later, or on another machine. */
  readonly isTemporary: boolean;
  /** Whether a server, the network or the disk is in trouble: then nothing is wrong with the task. */
  readonly isOutage: boolean;

  constructor(
    message: string,
    { isTemporary, isOutage = false }: { isTemporary: boolean; isOutage?: boolean },
  ) {
    super(message);
    this.isTemporary = isTemporary;
    this.isOutage = isOutage;
  }
}

interface ChangesAsked {
  /** Under which they are stored. */
  name: string;
  /** Of their commit. */
  message: string;
  /** Hears what does not come along, as a sentence. */
  left?(says: string): void;
  /** The most that is stored, in bytes. */
  mostBytes?: number;
}

export interface OpenWork extends AsyncDisposable {
  /** Where the session works. Absolute. */
  directory: string;
  /**
   * What differs from the files that the task got; undefined if nothing does, or if it works in place. Throws `WorkFailed` and
   * `BlobError`.
   */
  changes(as: ChangesAsked): Promise<Changes | undefined>;
}

interface Worker {
  /** Where clones and working directories are, of this machine's workers alone. */
  folder: string;
  blobs: Pick<BlobStore, "put" | "getTo">;
  /** The directories of a shared file system that tasks may work in. Absolute. */
  directories: readonly string[];
  /** Ends what is fetched for the task, whose files are then not there. */
  signal?: AbortSignal;
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
        isOutage: error instanceof GitFailed ? error.isOutage : !error.isOfBlob,
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

// For what is made of a mirror: on its own disk, and gone with its maker.
async function passingPath(folder: string): Promise<string> {
  return join(await ownFolder(folder), `${crypto.randomUUID()}.part`);
}

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
  await cloneFor(mirror, commit, directory, { origin: url, signal: worker.signal });
  return { below, changes: (as) => storedChanges(directory, { mirror, commit, worker, ...as }) };
}

/** One fetch at a time for each mirror of this process; those of other processes wait for Git's own locks. */
const fetching = new TurnPerKey();

// The one clone of a repository on this machine, which has the commit.
async function mirrorWith(work: GitWork, worker: Worker): Promise<string> {
  const digest = new Bun.CryptoHasher("sha256").update(work.url).digest("hex").slice(0, 24);
  const mirrors = join(worker.folder, "mirrors");
  makePrivateDirectory(mirrors);
  const mirror = join(mirrors, `${digest}.git`);
  await fetching.next(mirror, () => fetched(mirror, work, worker));
  return mirror;
}

async function fetched(mirror: string, work: GitWork, worker: Worker): Promise<void> {
  const { url, commit, bundle } = work;
  if (!isDirectory(mirror)) await makeMirror(mirror, commit, worker);
  const from = { url, signal: worker.signal };
  if (await hasCommit(mirror, commit, from)) return;
  if (!bundle) {
    if (await fetchCommit(mirror, commit, from)) return;
    throw new WorkFailed(`${url} does not have the commit ${commit}.`, { isTemporary: false });
  }
  const file = await passingPath(worker.folder);
  try {
    await worker.blobs.getTo(bundle, file);
    const take = () => takeBundle(mirror, file);
    // It stands on commits that the mirror may have already.
    try {
      await take();
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
      await fetchAll(mirror, from);
      await take();
    }
    if (!(await hasCommit(mirror, commit, from)))
      throw new WorkFailed(`The bundle does not have the commit ${commit}.`, { isTemporary: false });
  } finally {
    removePath(file);
  }
}

// Whole, or not at all: another process may make the same one.
async function makeMirror(mirror: string, commit: string, { folder }: Worker): Promise<void> {
  const beside = await passingPath(folder);
  await bareRepository(beside, commit);
  if (!(await placeDirectory(beside, mirror))) await removeTree(beside);
}

interface Changing extends ChangesAsked {
  mirror: string;
  /** What was checked out. */
  commit: string;
  worker: Worker;
}

// `mostNewBytes`: of new files. Changed ones count, too, so it may have to be less than all.
async function storedChanges(
  directory: string,
  changing: Changing,
  mostNewBytes = changing.mostBytes ?? mostBundleBytes,
): Promise<Changes | undefined> {
  const { mirror, commit, worker, name, message, mostBytes = mostBundleBytes, left } = changing;
  const file = `${directory}.bundle`;
  const remarks: string[] = [];
  try {
    await using changes = await changesIn(directory, {
      repository: mirror,
      commit,
      message,
      mostBytes: mostNewBytes,
      mostGrowth: mostBytes,
      left: (says) => remarks.push(says),
    });
    await changes?.bundleTo(file, mostBytes);
    const bundle = changes && (await worker.blobs.put(name, { file }));
    for (const says of remarks) left?.(says);
    return changes && bundle && { commit: changes.commit, bundle, files: changes.files };
  } catch (error) {
    if (error instanceof BundleTooLarge && mostNewBytes > 0) {
      removePath(file);
      return await storedChanges(directory, changing, mostNewBytes > mostBytes / 2 ? mostBytes / 2 : 0);
    }
    if (error instanceof GitFailed)
      throw new WorkFailed(`The changes of the task cannot be read: ${messageOf(error)}.`, {
        isTemporary: false,
        isOutage: error.isOutage,
      });
    throw error;
  } finally {
    removePath(file);
  }
}
