// What is in a directory now, as a commit that no branch has, and as a bundle of what another machine lacks of it.
import { bundleTo } from "../git/bundle.ts";
import { GitFailed, git, gitOrNothing } from "../git/git.ts";
import { commitOfDirectory, whyNotPlain } from "../git/plain-directory.ts";
import { isLocalUrl, remoteOf } from "../git/remote.ts";
import { aloneMessage } from "../git/take-branch.ts";
import {
  type Checkout,
  checkoutAround,
  commitOf,
  commitOfFiles,
  hasFilesIn,
  treeOf,
} from "../git/working-tree.ts";
import { realPath } from "../platform/files.ts";
import { join } from "../platform/paths.ts";
import { mostFetched } from "./messages.ts";

/** From where other machines can get commits. */
export interface Source {
  /** Of a remote, without a password. */
  url: string;
  /** What it has, as far as is known here, just below what it lacks. */
  commits: readonly string[];
}

/** The files of a directory, at one moment. */
export interface Snapshot {
  /** The root of the working tree; the directory itself if it is in no repository. */
  root: string;
  /** The repository that has the commit, or its working tree. */
  at: string;
  /** Names the repository on every machine, as a commit's name would. */
  name: string;
  /** Has everything that Git knows or would add. */
  commit: string;
  /** The directory, below the root, with `/`; "" for the root. */
  below: string;
  /** From where the history of the commit can be had. */
  source?: Source;
}

/** Of the commits that another machine has, no more are looked at. */
const mostKnown = 200;

/**
 * The files of a directory as they are now. `folder`: where a repository is made for a directory that has none. `hasSource`: whether
 * other machines may get its history from its remote. Throws an error with a sentence if the files cannot be sent.
 */
export async function snapshotOf(
  directory: string,
  folder: string,
  { hasSource = true }: { hasSource?: boolean } = {},
): Promise<Snapshot> {
  try {
    const around = await checkoutAround(directory);
    switch (around.is) {
      case "checkout":
        return await ofCheckout(around, hasSource);
      case "no-commit":
        throw new GitFailed(`it ${withoutCommit}`);
      case "no-repository":
        return await ofDirectory(realPath(directory), folder);
    }
  } catch (error) {
    if (error instanceof GitFailed) throw new Error(`${directory} cannot be sent: ${error.message}`);
    throw error;
  }
}

/** Why a directory cannot be sent, as it follows its name in a sentence; undefined if it can. */
export async function whyNotSent(directory: string): Promise<string | undefined> {
  try {
    const { is } = await checkoutAround(directory);
    if (is === "no-commit") return withoutCommit;
    return is === "checkout" ? undefined : await whyNotPlain(directory);
  } catch (error) {
    if (error instanceof GitFailed) return `cannot be sent: ${error.message}`;
    throw error;
  }
}

const withoutCommit = "is in a Git repository without a commit; make one first";

async function ofCheckout({ root, head, below }: Checkout, hasSource: boolean): Promise<Snapshot> {
  const where = { directory: root };
  const commit = await commitOfFiles({ root, head });
  if (!(await hasFilesIn(commit, below, where))) throw new GitFailed("it has no files that Git would send");
  const name = (await git(["rev-list", "--max-parents=0", head], where)).split("\n").at(-1) ?? head;
  if (!(await isWhole(root))) return { root, at: root, name, commit: await alone(commit, root), below };
  const source = hasSource ? await sourceOf(root, commit) : undefined;
  if (!source) return { root, at: root, name, commit, below };
  return { root, at: root, name: nameOfRemote(source.url, name), commit, below, source };
}

// A remote of which nothing is known here may lack everything, and one on this machine's disk is not on others'.
async function sourceOf(root: string, commit: string): Promise<Source | undefined> {
  const remote = await remoteOf(root);
  if ("says" in remote || isLocalUrl(remote.url)) return undefined;
  const words = ["rev-list", "--boundary", commit, "--not", `--remotes=${remote.name}`];
  const lines = (await git(words, { directory: root })).split("\n").filter(Boolean);
  const isThere = lines.every((line) => line.startsWith("-"));
  const below = lines.flatMap((line) => (line.startsWith("-") ? [line.slice(1)] : []));
  const commits = isThere ? [commit] : below.slice(0, mostFetched);
  return commits.length === 0 ? undefined : { url: remote.url, commits };
}

// So that a machine has one repository for each remote. `like`: a name of a commit in it, which says how long names are.
function nameOfRemote(url: string, like: string): string {
  return new Bun.CryptoHasher(like.length === 64 ? "sha256" : "sha1").update(`remote ${url}`).digest("hex");
}

// Of a shallow clone, or one that gets files when it needs them, only what is checked out is certain to be here.
async function isWhole(root: string): Promise<boolean> {
  const where = { directory: root };
  if ((await git(["rev-parse", "--is-shallow-repository"], where)) === "true") return false;
  const promises = ["config", "--get-regexp", "^(extensions\\.partialclone|remote\\..*\\.promisor)$"];
  return (await gitOrNothing(promises, where)) === undefined;
}

// The same files without their history.
async function alone(commit: string, root: string): Promise<string> {
  const where = { directory: root };
  const at = await git(["show", "--no-patch", "--format=%cI", commit], where);
  return await commitOf(await treeOf(commit, where), { at, message: aloneMessage(commit) }, where);
}

async function ofDirectory(root: string, folder: string): Promise<Snapshot> {
  const why = await whyNotPlain(root);
  if (why !== undefined) throw new GitFailed(`it ${why}`);
  const name = new Bun.CryptoHasher("sha1").update(`directory ${root}`).digest("hex");
  const at = join(folder, `sent-${name}.git`);
  return { root, at, name, commit: await commitOfDirectory(root, at), below: "" };
}

/**
 * Writes a file with what is missing where these commits are. False if nothing is. Throws an error with a sentence if it cannot be
 * written.
 */
export async function bundleFor(
  { root, at, commit }: Snapshot,
  known: readonly string[],
  file: string,
): Promise<boolean> {
  if (known.includes(commit)) return false;
  try {
    // Those that this repository has as well. The latest are enough: what lacks is sent.
    const asked = [
      "rev-list",
      "--ignore-missing",
      "--no-walk",
      "--end-of-options",
      ...known.slice(-mostKnown),
    ];
    const shared = known.length === 0 ? undefined : await gitOrNothing(asked, { directory: at });
    const without = (shared ?? "").split("\n").filter(Boolean);
    return await bundleTo(file, { at, commit, known: ["--not", ...without] });
  } catch (error) {
    if (error instanceof GitFailed) throw new Error(`${root} cannot be sent: ${error.message}`);
    throw error;
  }
}
