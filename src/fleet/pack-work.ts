// A submitter's side of the work: what workers need to have the same files as a directory here.
import { repositoryOf } from "../claude/repository.ts";
import { isDirectory, makePrivateDirectory, realPath, sizeOf } from "../platform/files.ts";
import { isWithin, join, relative, temporaryDirectory } from "../platform/paths.ts";
import { removePath } from "../platform/removal.ts";
import { namesIn } from "../platform/whole-files.ts";
import type { BlobStore } from "./blobs.ts";
import { authorship, GitFailed, git, gitOrNothing } from "./git.ts";
import { urlTrouble } from "./policy.ts";
import { refOf, type Work } from "./work.ts";

/** The largest bundle, in bytes. */
const mostBundleBytes = 1_000_000_000;

/** The work of a directory, or why it has none, as it follows the directory's name in a sentence. */
export type Packed = { ok: true; work: Work } | { ok: false; says: string };

interface Packing {
  /** Directories that workers have under the same path. */
  shared: readonly string[];
  blobs: Pick<BlobStore, "put">;
  /** Where a bundle is stored: the beginning of its name. */
  name: string;
}

/** What workers need for a directory. Uncommitted files go along; ignored ones do not. */
export async function packWork(directory: string, { shared, blobs, name }: Packing): Promise<Packed> {
  const found = await sourceOf(directory, shared);
  if ("says" in found) return { ok: false, says: found.says };
  if ("work" in found) return { ok: true, work: found.work };
  const { root, head, remote, url, below } = found;
  try {
    const commit = await commitOfFiles(root, head);
    const known = ["--not", `--remotes=${remote}`];
    const lacking = await git(["rev-list", "-n1", commit, ...known], { directory: root });
    const work: Work = { kind: "git", url, commit, head, below };
    if (lacking === "") return { ok: true, work };
    // It keeps the commits until what workers have made of them is here.
    await git(["update-ref", refOf(commit), commit], { directory: root });
    const file = temporaryFile("work.bundle");
    try {
      await git(["bundle", "create", "--quiet", file, refOf(commit), ...known], { directory: root });
      const bytes = sizeOf(file);
      if (bytes > mostBundleBytes)
        return {
          ok: false,
          says: `has ${Math.round(bytes / 1_000_000)} MB that its remote lacks, more than ${mostBundleBytes / 1_000_000} MB; push it, or let Git ignore large files`,
        };
      return { ok: true, work: { ...work, bundle: await blobs.put(`${name}/${commit}`, { file }) } };
    } finally {
      removePath(file);
    }
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

interface Source {
  root: string;
  head: string;
  remote: string;
  url: string;
  below: string;
}

async function sourceOf(
  directory: string,
  shared: readonly string[],
): Promise<Source | { work: Work } | { says: string }> {
  const path = realPath(directory);
  if (shared.some((one) => isWithin(path, realPath(one)))) return { work: { kind: "shared", path } };
  const root = repositoryOf(path)?.root;
  if (root === undefined) {
    if (isDirectory(path) && (await namesIn(path)).length === 0) return { work: { kind: "empty" } };
    return {
      says: "is neither in a Git repository, nor below `shared` of the fleet, nor empty, so workers cannot have its files",
    };
  }
  const head = await gitOrNothing(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], { directory: root });
  if (head === undefined) return { says: "is in a Git repository without a commit; make one first" };
  const remote = await remoteOf(root);
  const written = remote && (await gitOrNothing(["remote", "get-url", remote], { directory: root }));
  // A name before the host is often a token. Workers have their own.
  const url = written?.replace(/^(https?:\/\/)[^/@]*@/i, "$1");
  if (remote === undefined || !url)
    return { says: "is in a Git repository without a remote, from which workers could clone it" };
  const trouble = urlTrouble(url);
  if (trouble !== undefined) return { says: `has the remote ${remote}, whose address ${trouble}` };
  return { root, head, remote, url, below: relative(root, path).replaceAll("\\", "/") };
}

// That of the branch; else `origin`; else the only one.
async function remoteOf(root: string): Promise<string | undefined> {
  const branch = await gitOrNothing(["symbolic-ref", "--quiet", "--short", "HEAD"], { directory: root });
  const own =
    branch && (await gitOrNothing(["config", "--get", `branch.${branch}.remote`], { directory: root }));
  const all = ((await gitOrNothing(["remote"], { directory: root })) ?? "").split("\n").filter(Boolean);
  if (own && all.includes(own)) return own;
  return all.includes("origin") ? "origin" : all.length === 1 ? all[0] : undefined;
}

// The last commit, or one on top of it with what is not committed. Neither index nor working tree is touched.
async function commitOfFiles(root: string, head: string): Promise<string> {
  const index = temporaryFile("index");
  const own = await git(["rev-parse", "--path-format=absolute", "--git-path", "index"], { directory: root });
  const where = { directory: root, variables: { GIT_INDEX_FILE: index } };
  try {
    // With the times of the user's own index, only changed files are read.
    if (await Bun.file(own).exists()) await Bun.write(index, Bun.file(own));
    else await git(["read-tree", head], where);
    await git(["add", "--all"], where);
    const tree = await git(["write-tree"], where);
    if (tree === (await git(["rev-parse", `${head}^{tree}`], where))) return head;
    const date = await git(["show", "--no-patch", "--format=%cI", head], where);
    return await git(["commit-tree", tree, "-p", head, "-m", "Uncommitted changes"], {
      directory: root,
      variables: authorship(date),
    });
  } finally {
    removePath(index);
  }
}

/** A name in a private directory for temporary files. */
export function temporaryFile(name: string): string {
  const folder = join(temporaryDirectory(), `parallel-claude-work-${process.getuid?.() ?? "user"}`);
  makePrivateDirectory(folder);
  return join(folder, `${crypto.randomUUID()}-${name}`);
}
