// Commits in a file, which go to another machine.
import { z } from "zod";
import { product } from "../model/product.ts";
import { exists, readText, sizeOf } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";
import { temporaryFolder } from "../platform/temporary-folder.ts";
import { GitFailed, git, gitOrNothing, harmlessFaults } from "./git.ts";

/** A commit's full name, by SHA-1 or SHA-256. */
export const commitName = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

/** Below this are all references that we make. */
export const ownRefs = `refs/${product.name}`;

/** The reference to a commit, in bundles and in the repositories that make or take them. */
export function refOf(commit: string): string {
  return `${ownRefs}/${commit}`;
}

/** The largest bundle, in bytes. */
export const mostBundleBytes = 1_000_000_000;

/** A bundle that is larger than that. */
export class BundleTooLarge extends GitFailed {
  readonly bytes: number;

  constructor(bytes: number, mostBytes = mostBundleBytes) {
    super(
      `${Math.round(bytes / 1_000_000)} MB would have to be sent, more than ${Math.round(mostBytes / 1_000_000)} MB; let Git ignore large files`,
    );
    this.bytes = bytes;
  }
}

/** A commit of a repository, and what the other side has. */
interface Bundled {
  /** The repository, or its working tree. */
  at: string;
  commit: string;
  /** What the other side has, as words for `git rev-list`. */
  known: readonly string[];
}

/** Throws `BundleTooLarge`. */
export function checkBundleSize(file: string, mostBytes = mostBundleBytes): void {
  const bytes = sizeOf(file);
  if (bytes > mostBytes) throw new BundleTooLarge(bytes, mostBytes);
}

/**
 * Writes a file with a commit and what lacks of its history on the other side; false if nothing does. Nothing is written into the
 * repository. Throws `GitFailed`, also `BundleTooLarge`.
 */
export async function bundleTo(file: string, { at, commit, known }: Bundled): Promise<boolean> {
  const listed = await git(["rev-list", "--boundary", commit, ...known], { directory: at });
  const lines = listed.split("\n").filter(Boolean);
  if (lines.every((line) => line.startsWith("-"))) return false;
  // Those just below what lacks.
  const without = lines.filter((line) => line.startsWith("-")).map((line) => `^${line.slice(1)}`);
  using folder = temporaryFolder();
  const own = join(folder.path, "repository");
  // Git puts only references into a bundle. Another batch may bundle the same commit, so each makes its own.
  await borrowingRepository(own, { from: at, commit });
  const where = { directory: own };
  await git(["update-ref", refOf(commit), commit], where);
  await git(["bundle", "create", "--quiet", file, refOf(commit), ...without], where);
  checkBundleSize(file);
  return true;
}

/** Takes the commits out of a bundle, and keeps them. Throws `GitFailed`. */
export async function takeBundle(repository: string, file: string): Promise<void> {
  await unpackBundle(repository, file);
  const heads = await git(["bundle", "list-heads", file], { directory: repository });
  for (const line of heads.split("\n")) {
    const [commit = "", ref] = line.split(" ");
    if (ref === refOf(commit)) await keep(repository, commit);
  }
}

/** A pack with fewer objects becomes single objects, as when Git fetches: one file more for each task would make all else slow. */
const fewestPacked = 100;

/**
 * Takes the objects out of a bundle, after a check of them and of what they stand on. By no `git fetch`: that checks bundles
 * only since 2.46, and may run what the repository configures for its remotes and alternates. Throws `GitFailed`.
 */
export async function unpackBundle(repository: string, file: string): Promise<void> {
  const start = await packStart(file);
  const isSmall = (await objectsAt(file, start)) < fewestPacked;
  const words = isSmall ? ["unpack-objects", "-q"] : ["index-pack", "--stdin", "--fix-thin"];
  await git([...words, `--strict=${harmlessFaults.join(",")}`], {
    directory: repository,
    input: restOf(file, start),
  });
}

/** The longest beginning of a bundle, which lists commits, in bytes. */
const longestHeader = 64_000_000;
const pieceBytes = 1_000_000;

// It stands behind the first empty line.
async function packStart(file: string): Promise<number> {
  const whole = Bun.file(file);
  for (let from = 0; from < Math.min(whole.size, longestHeader); from += pieceBytes) {
    // An empty line may lie across two pieces.
    const piece = Buffer.from(await whole.slice(from, from + pieceBytes + 1).bytes());
    const end = piece.indexOf("\n\n");
    if (end >= 0) return from + end + 2;
  }
  throw new GitFailed("it is no bundle");
}

// As its head says: `PACK`, a version, and this number.
async function objectsAt(file: string, start: number): Promise<number> {
  const head = Buffer.from(
    await Bun.file(file)
      .slice(start, start + 12)
      .bytes(),
  );
  if (head.length < 12 || head.toString("latin1", 0, 4) !== "PACK") throw new GitFailed("it is no bundle");
  return head.readUInt32BE(8);
}

// A process that gets the stream of a part of a file reads the whole file (Bun 1.4.5).
function restOf(file: string, start: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const whole = Bun.file(file);
  let from = start;
  return new ReadableStream({
    pull: async (controller) => {
      if (from >= whole.size) {
        controller.close();
        return;
      }
      controller.enqueue(await whole.slice(from, from + pieceBytes).bytes());
      from += pieceBytes;
    },
  });
}

/** Keeps a commit in a repository. Throws `GitFailed`. */
export async function keep(root: string, commit: string): Promise<void> {
  await git(["update-ref", refOf(commit), commit], { directory: root });
}

/** Keeps a commit for somebody, such as a batch, until it is released for the same. Throws `GitFailed`. */
export async function keepFor(name: string, root: string, commit: string): Promise<void> {
  await git(["update-ref", `${ownRefs}/${name}/${commit}`, commit], { directory: root });
}

/** Lets go of all commits that were kept for somebody. */
export async function releaseFor(name: string, root: string): Promise<void> {
  const where = { directory: root };
  const found = await gitOrNothing(["for-each-ref", "--format=%(refname)", `${ownRefs}/${name}/`], where);
  for (const ref of (found ?? "").split("\n").filter(Boolean))
    await gitOrNothing(["update-ref", "-d", ref], where);
}

/** Makes a repository without a working tree, for commits with names of this kind. Throws `GitFailed`. */
export async function bareRepository(path: string, commit: string): Promise<void> {
  await newRepository(path, { commit, kind: ["--bare"] });
}

async function newRepository(
  path: string,
  { commit, kind }: { commit: string; kind: readonly string[] },
): Promise<void> {
  const format = commit.length === 64 ? ["--object-format=sha256"] : [];
  const words = ["init", "--quiet", "--template=", ...kind, ...format, "--", path];
  await git(words, { directory: dirname(path) });
}

/** From which repository one borrows, and for which commit. */
interface Borrowed {
  from: string;
  commit: string;
}

/** The same, with all objects of another repository, in which it writes nothing. Throws `GitFailed`. */
export async function borrowingRepository(path: string, { from, commit }: Borrowed): Promise<void> {
  await bareRepository(path, commit);
  await borrow(path, from);
}

/** The same with a working tree, which is empty yet. Throws `GitFailed`. */
export async function borrowingCheckout(path: string, { from, commit }: Borrowed): Promise<void> {
  await newRepository(path, { commit, kind: [] });
  await borrow(join(path, ".git"), from);
}

async function borrow(repository: string, from: string): Promise<void> {
  const paths = ["--git-path", "objects", "--git-path", "shallow"];
  const said = await git(["rev-parse", "--path-format=absolute", ...paths], { directory: from });
  const [objects = "", shallow = ""] = said.split("\n");
  await Bun.write(join(repository, "objects", "info", "alternates"), `${objects}\n`);
  if (exists(shallow)) await Bun.write(join(repository, "shallow"), readText(shallow));
}
