// What is in a working tree now, as a commit that no branch has. Neither the index nor the working tree is touched.
import { repositoryOf } from "../claude/repository.ts";
import { copyWithTimes, exists, fileIdentity, isReadable, ownSizeOf, realPath } from "../platform/files.ts";
import { join, relative } from "../platform/paths.ts";
import { temporaryFolder } from "../platform/temporary-folder.ts";
import { countText } from "../report/amounts.ts";
import { GitFailed, git, gitList, gitOrNothing, type Surroundings } from "./git.ts";

/** A working tree with a commit. */
export interface Checkout {
  /** The root of the working tree. */
  root: string;
  /** The last commit. */
  head: string;
  /** The directory that was asked for, below the root, with `/`; "" for the root. */
  below: string;
}

/** What is around a directory. */
export type Around = ({ is: "checkout" } & Checkout) | { is: "no-repository" } | { is: "no-commit" };

/** The working tree around a directory. Throws `GitFailed`. */
export async function checkoutAround(directory: string): Promise<Around> {
  const path = realPath(directory);
  const root = repositoryOf(path)?.root;
  if (root === undefined) return { is: "no-repository" };
  // A stranger's repository may say that everything in the home directory belongs to it.
  const said = await git(["rev-parse", "--show-toplevel"], { directory: root });
  if (fileIdentity(said) !== fileIdentity(root))
    throw new GitFailed(`its configuration names another working tree, ${said}`);
  const head = await gitOrNothing(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], { directory: root });
  if (head === undefined) return { is: "no-commit" };
  return { is: "checkout", root, head, below: relative(root, path).replaceAll("\\", "/") };
}

/** The last commit, or one on top of it with what is not committed. Ignored files are left out. Throws `GitFailed`. */
export async function commitOfFiles({ root, head }: Pick<Checkout, "root" | "head">): Promise<string> {
  using folder = temporaryFolder();
  const index = join(folder.path, "index");
  const where = { directory: root, index, off: await repositoryFiltersOff(root) };
  const own = await git(["rev-parse", "--path-format=absolute", "--git-path", "index"], { directory: root });
  // With the times of files in the user's own index, only changed files are read. Its own time decides which of them Git
  // believes.
  if (exists(own)) copyWithTimes(own, index);
  else await git(["read-tree", head], where);
  const tree = await treeOfFiles(where);
  if (tree === (await treeOf(head, where))) return head;
  return await commitOf(tree, { on: head, message: "Uncommitted changes" }, where);
}

/** The tree of a working tree's files, with what the index has. Throws `GitFailed`. */
export async function treeOfFiles(where: Surroundings): Promise<string> {
  const submodules = await submodulesIn(where);
  await git(["add", "--all", "--", ".", ...without(submodules)], where);
  return await git(["write-tree"], where);
}

interface Whole {
  /** New files are left out, the largest first, if they are longer than this together, in bytes. */
  mostBytes: number;
  /** Hears what could not be read, or was left out, as a sentence. */
  left(says: string): void;
}

/**
 * The same with as much as there is: the files of repositories inside it count as its own. What cannot be read, or is too long, is
 * left out. Throws `GitFailed`.
 */
export async function treeOfAllFiles(where: Surroundings, whole: Whole): Promise<string> {
  return (await treeWithin(where, whole)).tree;
}

// The same, and how long the new files in it are together, in bytes.
async function treeWithin(
  where: Surroundings,
  { mostBytes, left }: Whole,
): Promise<{ tree: string; newBytes: number }> {
  const submodules = await submodulesIn(where);
  const others = await gitList(["ls-files", "--others", "--exclude-standard", "-z"], where);
  const inner = others.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
  const found = others
    .filter((name) => !name.endsWith("/"))
    .map((name) => ({ name, bytes: ownSizeOf(join(where.directory, name)) }));
  const fits = fitting(found, mostBytes);
  const isWhole = fits.length === found.length;
  const added = isWhole ? ["--all"] : ["--update"];
  try {
    await git(["add", ...added, "--ignore-errors", "--", ".", ...without([...submodules, ...inner])], where);
  } catch (error) {
    // With another status, nothing was added.
    if (!(error instanceof GitFailed) || error.status !== 1) throw error;
    left(unreadText(error.message));
  }
  if (!isWhole) {
    left(leftOutText(found, fits));
    await addEach(fits, where, left);
  }
  let newBytes = sum(fits);
  for (const name of inner) {
    using folder = temporaryFolder();
    const there = { ...where, directory: join(where.directory, name), index: join(folder.path, "index") };
    const inside = await treeWithin(there, { mostBytes: mostBytes - newBytes, left });
    newBytes += inside.newBytes;
    await git(["read-tree", `--prefix=${name}/`, inside.tree], where);
  }
  return { tree: await git(["write-tree"], where), newBytes };
}

// There may be too many for a command line. Unlike `git add`, this adds nothing at all if it cannot read one.
async function addEach(files: readonly Found[], where: Surroundings, left: Whole["left"]): Promise<void> {
  const { readable = [], unread = [] } = Object.groupBy(files, ({ name }) =>
    isReadable(join(where.directory, name)) ? "readable" : "unread",
  );
  if (unread.length > 0) left(unreadText(unread.map(({ name }) => name).join(", ")));
  const names = readable.map(({ name }) => `${name}\0`).join("");
  // With `--remove`, one that has gone since is no error either.
  const words = ["update-index", "--add", "--remove", "-z", "--stdin"];
  await git(words, { ...where, input: new Blob([names]).stream() });
}

interface Found {
  name: string;
  bytes: number;
}

function sum(files: readonly Found[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

// As many as there is room for.
function fitting(files: readonly Found[], mostBytes: number): readonly Found[] {
  if (sum(files) <= mostBytes) return files;
  let total = 0;
  return files
    .toSorted((one, other) => one.bytes - other.bytes)
    .filter(({ bytes }) => {
      total += bytes;
      return total <= mostBytes;
    });
}

function leftOutText(all: readonly Found[], fits: readonly Found[]): string {
  const longest = all.reduce((one, other) => (other.bytes > one.bytes ? other : one));
  const outMb = Math.round((sum(all) - sum(fits)) / 1e6);
  return `Of its new files, ${countText(all.length - fits.length, "file")} of ${outMb} MB did not come back, because all together would be too much; the longest is ${longest.name.slice(0, longestReason)}. Let \`.gitignore\` name what is not needed.`;
}

function unreadText(because: string): string {
  return `Some files could not be read: ${because.slice(0, longestReason)}`;
}

/** Of what cannot be read, in characters. */
const longestReason = 300;

// Git looks for changes in a submodule by its configuration, which names programs as well.
async function submodulesIn(where: Surroundings): Promise<string[]> {
  const staged = await gitList(["ls-files", "--stage", "-z"], where);
  return staged.flatMap((entry) => /^160000 [^\t]*\t(.*)$/s.exec(entry)?.[1] ?? []);
}

function without(paths: readonly string[]): string[] {
  return paths.map((path) => `:(exclude,literal)${path}`);
}

/** The tree of a commit. Throws `GitFailed`. */
export function treeOf(commit: string, where: Surroundings): Promise<string> {
  return git(["rev-parse", "--verify", `${commit}^{tree}`], where);
}

/** Whether a commit has files in a directory. `below`: with `/`; "" for the root. */
export async function hasFilesIn(commit: string, below: string, where: Surroundings): Promise<boolean> {
  return below === "" || (await gitOrNothing(["cat-file", "-t", `${commit}:${below}`], where)) === "tree";
}

/**
 * A commit with a tree. Its date is that of the commit below it, so that the same files give the same commit. Without one, it
 * is the beginning of a history. Throws `GitFailed`.
 */
export async function commitOf(
  tree: string,
  { on, at = beginning, message }: { on?: string; at?: string; message: string },
  where: Surroundings,
): Promise<string> {
  const committedAt = on === undefined ? at : await git(["show", "--no-patch", "--format=%cI", on], where);
  const parents = on === undefined ? [] : ["-p", on];
  return await git(["commit-tree", tree, ...parents, "-m", message], { ...where, committedAt });
}

/** The date of a commit that stands on no other one. */
const beginning = "2000-01-01T00:00:00Z";

/** What runs a program when Git reads or writes a file of a working tree. */
const filterParts = ["clean", "smudge", "process"] as const;

/** A filter whose name Git would read as another one, so that it cannot be turned off. */
export class OddFilter extends GitFailed {
  readonly filter: string;

  constructor(filter: string) {
    super(`its configuration has a filter of the odd name ${JSON.stringify(filter)}`);
    this.filter = filter;
  }
}

/**
 * Words that turn off the filters which the repository around a directory configures: a stranger may have written them. Those
 * of its user, such as Git LFS, stay, because without them unchanged files would seem changed. Throws `OddFilter` and `GitFailed`.
 */
export async function repositoryFiltersOff(directory: string): Promise<string[]> {
  const drivers = new Set(
    (await filterKeys(directory)).map((key) => key.slice("filter.".length, key.lastIndexOf("."))),
  );
  const odd = [...drivers].find((name) => /[=\n]/.test(name));
  if (odd !== undefined) throw new OddFilter(odd);
  return [...drivers].flatMap((name) => [
    ...filterParts.flatMap((part) => ["-c", `filter.${name}.${part}=`]),
    "-c",
    `filter.${name}.required=false`,
  ]);
}

async function filterKeys(directory: string): Promise<string[]> {
  const names = ["--name-only", "-z", "--get-regexp", "^filter\\."];
  const where = { directory };
  const scoped = await listOrNone(["config", "--show-scope", ...names], where);
  // Before 2.26, Git does not know whose they are.
  if (scoped === undefined) return (await listOrNone(["config", ...names], where)) ?? [];
  return scoped.filter(
    (_, index) => index % 2 === 1 && !["system", "global", "command"].includes(scoped[index - 1] ?? ""),
  );
}

// Git ends with 1 if there is nothing of that name.
async function listOrNone(words: readonly string[], where: Surroundings): Promise<string[] | undefined> {
  try {
    return await gitList(words, where);
  } catch (error) {
    if (!(error instanceof GitFailed) || error.isMissing) throw error;
    return error.status === 1 ? [] : undefined;
  }
}
