// Working trees that a far keeper has for the tasks of others: one repository for each, of which they are, and what
// sessions have changed in them.
import { git } from "../../far/git.ts";
import type { FromKeeper, TreeAction } from "../../far/messages.ts";
import { AppendedFile } from "../../platform/appended-file.ts";
import { exists, isDirectory, makePrivateDirectory, readText } from "../../platform/files.ts";
import { removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, join } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { messageOf } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";

const repositoriesFolder = "repositories";
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

  /** Removes all repositories, if no working tree is left of them. */
  prune(): void {
    removePath(join(this.#folder, repositoriesFolder));
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
          await this.#receive(action, body);
          return { answer: {} };
        case "check-out":
          return { answer: { directory: await this.#checkOut(batch, action) } };
        case "changes":
          return await this.#changes(batch, action.name);
        case "drop":
          await this.#drop(batch, action.name);
          return { answer: {} };
      }
    } catch (error) {
      return { answer: { problem: messageOf(error) } };
    }
  }

  async #commitsOf(repository: string): Promise<string[]> {
    const at = this.#repository(repository);
    if (!isDirectory(at)) return [];
    const said = await git(at, ["for-each-ref", "--format=%(objectname)", ours]);
    return said.ok ? said.text.split("\n").filter(Boolean) : [];
  }

  async #receive(
    { repository, piece, isLast }: Extract<TreeAction, { do: "receive" }>,
    body: Uint8Array,
  ): Promise<void> {
    const at = this.#repository(repository);
    const bundle = `${at}.bundle`;
    makePrivateDirectory(dirname(at));
    if (piece === 0) removePath(bundle);
    {
      using file = new AppendedFile(bundle, { isNew: piece === 0 });
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
    const [, commit = ""] = readText(this.#noteOf(tree)).split(" ");
    const index = `${tree}.index`;
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
      removePath(index);
    }
  }

  async #drop(batch: string, name: string): Promise<void> {
    const tree = this.#tree(batch, name);
    removePath(tree);
    removePath(this.#noteOf(tree));
    removeEmptyFolders(dirname(tree), this.#folder);
  }

  #repository(repository: string): string {
    return join(this.#folder, repositoriesFolder, `${repository}.git`);
  }

  #tree(batch: string, name: string): string {
    return join(this.#folder, batch, treesFolder, name);
  }

  #noteOf(tree: string): string {
    return `${tree}.commit`;
  }
}

async function must(directory: string, words: string[], index?: string) {
  const said = await git(directory, words, index === undefined ? {} : { index });
  if (!said.ok) throw new Error(`git ${words[0]}: ${said.because}`);
  return said;
}
