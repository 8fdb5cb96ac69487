// A submitter's side of the end: what a task has changed on a worker becomes a branch here.
import { repositoryOf } from "../claude/repository.ts";
import { realPath } from "../platform/files.ts";
import { removePath } from "../platform/removal.ts";
import type { BlobStore } from "./blobs.ts";
import { GitFailed, git, gitOrNothing } from "./git.ts";
import { temporaryFile } from "./pack-work.ts";
import { type Changes, refOf } from "./work.ts";

/** The branch that has the changes, or why there is none, as a sentence. */
export type Taken = { ok: true; branch: string } | { ok: false; says: string };

/** The most branches of one name: a task that is retried gets another one. */
const mostBranches = 100;

/**
 * Puts the changes of a task into the repository around a directory, as a branch of this name; if there is one with other
 * contents, as `NAME-2`. Neither the working tree nor any other branch changes. Throws `BlobError`.
 */
export async function takeChanges(
  { commit, bundle }: Changes,
  { directory, branch, blobs }: { directory: string; branch: string; blobs: Pick<BlobStore, "getTo"> },
): Promise<Taken> {
  const root = repositoryOf(realPath(directory))?.root;
  if (root === undefined) return { ok: false, says: `${directory} is in no Git repository any more.` };
  const where = { directory: root };
  const file = temporaryFile("changes.bundle");
  try {
    await blobs.getTo(bundle, file);
    for (let number = 1; number <= mostBranches; number++) {
      const name = number === 1 ? branch : `${branch}-${number}`;
      const taken = await gitOrNothing(["rev-parse", "--verify", "--quiet", `refs/heads/${name}`], where);
      if (taken === commit) return { ok: true, branch: name };
      if (taken !== undefined) continue;
      await git(
        ["fetch", "--quiet", "--no-write-fetch-head", "--", file, `${refOf(commit)}:refs/heads/${name}`],
        where,
      );
      return { ok: true, branch: name };
    }
    return { ok: false, says: `There are ${mostBranches} branches ${branch} already.` };
  } catch (error) {
    if (error instanceof GitFailed)
      return { ok: false, says: `The changes could not be put into ${root}: ${error.message}.` };
    throw error;
  } finally {
    removePath(file);
  }
}

/** Lets go of the commit that was made of uncommitted files for the workers, once nothing more comes of it. */
export async function releaseWork(directory: string, commit: string): Promise<void> {
  const root = repositoryOf(realPath(directory))?.root;
  if (root !== undefined) await gitOrNothing(["update-ref", "-d", refOf(commit)], { directory: root });
}
