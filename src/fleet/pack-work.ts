// A submitter's side of the work: what workers need to have the same files as a directory here.
import { bundleTo, keepFor } from "../git/bundle.ts";
import { GitFailed } from "../git/git.ts";
import { remoteOf } from "../git/remote.ts";
import { type Checkout, checkoutAround, commitOfFiles, hasFilesIn } from "../git/working-tree.ts";
import { isDirectory, realPath } from "../platform/files.ts";
import { isWithin, join } from "../platform/paths.ts";
import { temporaryFolder } from "../platform/temporary-folder.ts";
import { namesIn } from "../platform/whole-files.ts";
import type { BlobStore } from "./blobs.ts";
import type { Work } from "./work.ts";

/** The work of a directory, or why it has none, as it follows the directory's name in a sentence. */
export type Packed = { ok: true; work: Work } | { ok: false; says: string };

interface Packing {
  /** Directories that workers have under the same path. */
  shared: readonly string[];
  blobs: Pick<BlobStore, "put">;
  /** Who keeps a commit here, such as a batch, and where a bundle is stored: the beginning of its name. */
  name: string;
}

/** What workers need for a directory. Uncommitted files go along; ignored ones do not. Throws `BlobError`. */
export async function packWork(directory: string, { shared, blobs, name }: Packing): Promise<Packed> {
  const found = await sourceOf(directory, shared);
  if ("says" in found) return { ok: false, says: found.says };
  if ("work" in found) return { ok: true, work: found.work };
  const { root, head, remote, url, below } = found;
  try {
    const commit = await commitOfFiles(found);
    if (!(await hasFilesIn(commit, below, { directory: root })))
      return { ok: false, says: "has no files that Git would send" };
    const work: Work = { kind: "git", url, commit, head, below };
    using folder = temporaryFolder();
    const file = join(folder.path, "work.bundle");
    const known = ["--not", `--remotes=${remote}`];
    if (!(await bundleTo(file, { at: root, commit, known }))) return { ok: true, work };
    // What workers make of it comes back without what is in it.
    await keepFor(name, root, commit);
    // Two packs of one commit differ, and another runner's tasks may wait for the first.
    const bundle = await blobs.put(`${name}/${commit}-${crypto.randomUUID()}`, { file });
    return { ok: true, work: { ...work, bundle } };
  } catch (error) {
    if (error instanceof GitFailed) return { ok: false, says: `cannot be sent: ${error.message}` };
    throw error;
  }
}

/** Why no worker can have the files of a directory, as it follows its name in a sentence; undefined if one can. */
export async function whyNotPacked(
  directory: string,
  shared: readonly string[],
): Promise<string | undefined> {
  const found = await sourceOf(directory, shared);
  return "says" in found ? found.says : undefined;
}

interface Source extends Checkout {
  remote: string;
  url: string;
}

type Found = Source | { work: Work } | { says: string };

async function sourceOf(directory: string, shared: readonly string[]): Promise<Found> {
  const path = realPath(directory);
  if (shared.some((one) => isWithin(path, realPath(one)))) return { work: { kind: "shared", path } };
  try {
    const around = await checkoutAround(path);
    switch (around.is) {
      case "checkout":
        return await withRemote(around);
      case "no-commit":
        return { says: "is in a Git repository without a commit; make one first" };
      case "no-repository":
        if (isDirectory(path) && (await namesIn(path)).length === 0) return { work: { kind: "empty" } };
        return {
          says: "is neither in a Git repository, nor below `shared` of the fleet, nor empty, so workers cannot have its files",
        };
    }
  } catch (error) {
    if (error instanceof GitFailed) return { says: `cannot be sent: ${error.message}` };
    throw error;
  }
}

async function withRemote({ root, head, below }: Checkout): Promise<Found> {
  const remote = await remoteOf(root);
  if ("says" in remote) return remote;
  return { root, head, remote: remote.name, url: remote.url, below };
}
