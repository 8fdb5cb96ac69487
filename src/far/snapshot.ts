// What is in a working tree now, as a commit that no branch has, and as a bundle of what another machine lacks of it.
import { makePrivateDirectory } from "../platform/files.ts";
import { join, temporaryDirectory } from "../platform/paths.ts";
import { removePath } from "../platform/removal.ts";
import { git } from "./git.ts";

export interface Snapshot {
  /** The root of the working tree. */
  root: string;
  /** The first commit of its history, which names the repository everywhere. */
  repository: string;
  /** Has everything that git knows or would add. */
  commit: string;
  /** Of the directory below the root, with slashes; "" for the root. */
  prefix: string;
}

const refs = "refs/parallel-claude";
/** Of the commits that another machine has, no more are looked at. */
const mostKnown = 200;

/** The working tree around a directory as it is now. Throws if there is none, or it has no commit yet. */
export async function snapshotOf(directory: string): Promise<Snapshot> {
  const ask = async (...words: string[]): Promise<string> => {
    const said = await git(directory, words);
    if (!said.ok) throw new Error(`${directory} cannot be taken to another machine by git: ${said.because}`);
    return said.text;
  };
  const root = await ask("rev-parse", "--show-toplevel");
  const prefix = (await ask("rev-parse", "--show-prefix")).replace(/\/$/, "");
  const head = await ask("rev-parse", "--verify", "HEAD^{commit}");
  const repository = (await ask("rev-list", "--max-parents=0", "HEAD")).split("\n").at(-1) ?? head;
  const off = await filtersOff(root);
  using folder = temporaryFolder();
  const index = join(folder.path, "index");
  const within = async (...words: string[]): Promise<string> => {
    const said = await git(root, words, { index, off });
    if (!said.ok) throw new Error(`${root} cannot be taken to another machine by git: ${said.because}`);
    return said.text;
  };
  await within("read-tree", "HEAD");
  await within("add", "--all");
  const tree = await within("write-tree");
  const isClean = tree === (await within("rev-parse", "HEAD^{tree}"));
  const commit = isClean ? head : await within("commit-tree", tree, "-p", head, "-m", "Working tree");
  return { root, repository, commit, prefix };
}

/** Writes a file with what is missing where these commits are. False if nothing is. */
export async function bundleFor(
  { root, commit }: Snapshot,
  known: readonly string[],
  file: string,
): Promise<boolean> {
  if (known.includes(commit)) return false;
  const ref = `${refs}/${commit}`;
  const made = await git(root, ["update-ref", ref, commit]);
  if (!made.ok) throw new Error(`no bundle of ${root} could be made: ${made.because}`);
  try {
    // The latest are enough: what lacks is sent.
    const shared = await git(root, [
      "rev-list",
      "--ignore-missing",
      "--no-walk",
      // What follows comes from another machine.
      "--end-of-options",
      ...known.slice(-mostKnown),
    ]);
    const without = shared.ok ? shared.text.split("\n").flatMap((one) => (one ? [`^${one}`] : [])) : [];
    const bundled = await git(root, ["bundle", "create", "--quiet", file, ref, ...without]);
    if (!bundled.ok) throw new Error(`no bundle of ${root} could be made: ${bundled.because}`);
    return true;
  } finally {
    await git(root, ["update-ref", "-d", ref]);
  }
}

// Filters that the repository itself configures run programs: a stranger may have written them.
async function filtersOff(root: string): Promise<string[]> {
  const all = await git(root, ["config", "-z", "--show-scope", "--name-only", "--get-regexp", "^filter\\."]);
  if (!all.ok) return [];
  const fields = all.text.split("\0");
  // Those of its user, such as Git LFS, stay: without them, unchanged files would seem changed.
  const own = fields.filter((_, index) => ["local", "worktree"].includes(fields[index - 1] ?? ""));
  const names = new Set(own.map((key) => key.slice(0, key.lastIndexOf("."))));
  return [...names]
    .filter(Boolean)
    .flatMap((name) =>
      ["clean", "smudge", "process"].flatMap((part) => [
        "-c",
        `${name}.${part}=`,
        "-c",
        `${name}.required=false`,
      ]),
    );
}

function temporaryFolder() {
  const path = join(temporaryDirectory(), `parallel-claude-tree-${crypto.randomUUID()}`);
  makePrivateDirectory(path);
  return { path, [Symbol.dispose]: () => removePath(path) };
}
