// Working trees that a far keeper has for the tasks of others: one repository for each, of which they are, and what
// sessions have changed in them.
import { git } from "../../far/git.ts";
import { bundlePieceBytes, type FromKeeper, interrupted, type TreeAction } from "../../far/messages.ts";
import { AppendedFile } from "../../platform/appended-file.ts";
import { exists, isDirectory, makePrivateDirectory, readText } from "../../platform/files.ts";
import { foldersIn, removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, join } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { messageOf, systemCode } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { repositoriesFolder } from "./far-records.ts";

const treesFolder = "trees";
const ours = "refs/parallel-claude";
/** The longest patch that is sent, in bytes. */
const longestPatch = 32 * 1024 * 1024;

type Answer = Omit<Extract<FromKeeper, { type: "tree" }>, "type" | "request">;

export class FarTrees {
  readonly #folder: string;
  /** Git locks a repository for most of what is asked. */
  #turn: Promise<unknown> = Promise.resolve();

  /** `folder`: of far sessions. Absolute. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Does what is asked for a batch, after what was asked before. Never throws. */
  act(batch: string, action: TreeAction, body: Uint8Array): Promise<{ answer: Answer; body?: Uint8Array }> {
    const done = this.#turn.then(() => this.#act(batch, action, body));
    this.#turn = done;
    return done;
  }

  /** Whether a batch has working trees here. */
  has(batch: string): boolean {
    return isDirectory(this.#treesOf(batch));
  }

  /** Removes those of a batch that its runner does not know. */
  keepOnly(batch: string, names: readonly string[]): Promise<void> {
    return this.#next(() => {
      for (const name of foldersIn(this.#treesOf(batch))) if (!names.includes(name)) this.#drop(batch, name);
    });
  }

  /** Removes the working trees of batches that are free; and all repositories, if no other batch has any here. */
  prune(isFree: (batch: string) => boolean): Promise<void> {
    return this.#next(() => {
      const batches = foldersIn(this.#folder).filter((name) => name !== repositoriesFolder);
      for (const batch of batches.filter(isFree)) {
        removePath(this.#treesOf(batch));
        removeEmptyFolders(join(this.#folder, batch), this.#folder);
      }
      if (batches.every((batch) => isFree(batch) && !this.has(batch)))
        removePath(join(this.#folder, repositoriesFolder));
    });
  }

  // What cannot be removed now is removed by the next `prune`.
  #next(act: () => void): Promise<void> {
    const done = this.#turn.then(act).catch(() => undefined);
    this.#turn = done;
    return done;
  }

  async #act(
    batch: string,
    action: TreeAction,
    body: Uint8Array,
  ): Promise<{ answer: Answer; body?: Uint8Array }> {
    try {
      switch (action.do) {
        case "have":
          return { answer: { commits: await this.#commitsOf(action.repository) } };
        case "receive":
          await this.#receive(batch, action, body);
          return { answer: {} };
        case "check-out":
          return { answer: { directory: await this.#checkOut(batch, action) } };
        case "changes":
          return await this.#changes(batch, action.name);
        case "drop":
          this.#drop(batch, action.name);
          return { answer: {} };
      }
    } catch (error) {
      const problem = messageOf(error);
      return { answer: { problem, ...(isPassing(error, problem) ? { isPassing: true } : {}) } };
    }
  }

  async #commitsOf(repository: string): Promise<string[]> {
    const at = this.#repository(repository);
    if (!isDirectory(at)) return [];
    const said = await git(at, ["for-each-ref", "--format=%(objectname)", ours]);
    return said.ok ? said.text.split("\n").filter(Boolean) : [];
  }

  async #receive(
    batch: string,
    { repository, piece, isLast }: Extract<TreeAction, { do: "receive" }>,
    body: Uint8Array,
  ): Promise<void> {
    const at = this.#repository(repository);
    const bundle = `${at}.${batch}.bundle`;
    makePrivateDirectory(dirname(at));
    if (piece === 0) removePath(bundle);
    {
      using file = new AppendedFile(bundle, { isNew: piece === 0 });
      if (file.size !== piece * bundlePieceBytes) throw new Error(interrupted);
      file.append(body);
    }
    if (!isLast) return;
    if (!isDirectory(at)) await must(dirname(at), ["init", "--quiet", "--bare", at]);
    await must(at, ["fetch", "--quiet", "--no-tags", bundle, `+${ours}/*:${ours}/*`]);
    removePath(bundle);
  }

  async #checkOut(
    batch: string,
    { repository, commit, name }: Extract<TreeAction, { do: "check-out" }>,
  ): Promise<string> {
    const tree = this.#tree(batch, name);
    if (exists(this.#noteOf(tree)) && isDirectory(tree)) return tree;
    removePath(tree);
    makePrivateDirectory(dirname(tree));
    const at = this.#repository(repository);
    await must(at, ["worktree", "prune"]);
    await must(at, ["worktree", "add", "--quiet", "--force", "--detach", tree, commit]);
    await replaceFile(this.#noteOf(tree), `${repository} ${commit}`, { mode: 0o600 });
    return tree;
  }

  // Against what it was, whatever the session has committed since.
  async #changes(batch: string, name: string): Promise<{ answer: Answer; body?: Uint8Array }> {
    const tree = this.#tree(batch, name);
    const note = this.#noteOf(tree);
    if (!exists(note)) throw new Error(`the working tree ${tree} is not there any more`);
    const [repository = "", commit = ""] = readText(note).split(" ");
    const index = {
      index: `${tree}.index`,
      // Not what the tree itself says: a session may have put another configuration there, which names programs to run.
      gitDirectory: join(this.#repository(repository), "worktrees", name),
    };
    try {
      await must(tree, ["read-tree", commit], index);
      await must(tree, ["add", "--all"], index);
      const how = ["diff", "--cached", "--no-ext-diff", "--no-textconv", "--no-renames"];
      const names = await must(tree, [...how, "--name-only", "-z", commit], index);
      const files = names.text.split("\0").filter(Boolean).length;
      if (files === 0) return { answer: { files } };
      const patch = await must(tree, [...how, "--binary", commit], index);
      if (patch.bytes.length > longestPatch)
        throw new Error(
          `the patch of ${files} files is longer than ${longestPatch} bytes; they are in ${tree}`,
        );
      return { answer: { files }, body: patch.bytes };
    } finally {
      removePath(index.index);
    }
  }

  #drop(batch: string, name: string): void {
    const tree = this.#tree(batch, name);
    removePath(tree);
    removePath(this.#noteOf(tree));
    removeEmptyFolders(dirname(tree), this.#folder);
  }

  #repository(repository: string): string {
    return join(this.#folder, repositoriesFolder, `${repository}.git`);
  }

  #treesOf(batch: string): string {
    return join(this.#folder, batch, treesFolder);
  }

  #tree(batch: string, name: string): string {
    return join(this.#treesOf(batch), name);
  }

  #noteOf(tree: string): string {
    return `${tree}.commit`;
  }
}

// Git says such things only in its messages.
function isPassing(error: unknown, problem: string): boolean {
  return systemCode(error) !== undefined || /No space left|Disk quota|Cannot allocate memory/i.test(problem);
}

async function must(
  directory: string,
  words: string[],
  within: { index?: string; gitDirectory?: string } = {},
) {
  const said = await git(directory, words, within);
  if (!said.ok) throw new Error(`git ${words[0]}: ${said.because}`);
  return said;
}
