// A submitter's side of the end: what a task has changed on a worker becomes a branch here.
import { repositoryOf } from "../claude/repository.ts";
import { releaseFor, unpackBundle } from "../git/bundle.ts";
import { type Taken, takeBranch } from "../git/take-branch.ts";
import { realPath } from "../platform/files.ts";
import { join } from "../platform/paths.ts";
import { temporaryFolder } from "../platform/temporary-folder.ts";
import type { BlobStore } from "./blobs.ts";
import type { Changes } from "./work.ts";

/**
 * Puts the changes of a task into the repository around a directory, as a branch of this name; if there is one with other
 * contents, as `NAME-2`. Neither the working tree nor any other branch changes. Throws `BlobError`.
 */
export async function takeChanges(
  { commit, bundle }: Changes,
  { directory, branch, blobs }: { directory: string; branch: string; blobs: Pick<BlobStore, "getTo"> },
): Promise<Taken> {
  const root = repositoryOf(realPath(directory))?.root;
  if (root === undefined) return { ok: false, because: `${directory} is in no Git repository any more.` };
  using folder = temporaryFolder();
  const file = join(folder.path, "changes.bundle");
  await blobs.getTo(bundle, file);
  return await takeBranch(root, {
    branch,
    commit: async () => {
      await unpackBundle(root, file);
      return commit;
    },
  });
}

/**
 * Lets go of the commits that were made of uncommitted files in these directories for the workers of a batch, once nothing more
 * comes of them.
 */
export async function releaseWork(directories: Iterable<string>, name: string): Promise<void> {
  const roots = new Set([...directories].flatMap((one) => repositoryOf(realPath(one))?.root ?? []));
  for (const root of roots) await releaseFor(name, root);
}
