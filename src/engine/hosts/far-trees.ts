// Working trees that a far keeper has for the tasks of others: a clone for each, which borrows from one repository, and what
// sessions have changed in them.
import { bundlePieceBytes, type FromKeeper, type TreeAction } from "../../far/messages.ts";
import { BundleTooLarge, bareRepository, mostBundleBytes, ownRefs, takeBundle } from "../../git/bundle.ts";
import { git } from "../../git/git.ts";
import { changesIn, cloneFor } from "../../git/task-clone.ts";
import { AppendedFile } from "../../platform/appended-file.ts";
import { exists, isDirectory, makePrivateDirectory, readText } from "../../platform/files.ts";
import { foldersIn, removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, join } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { messageOf, systemCode } from "../../platform/system-error.ts";
import { removeTree } from "../../platform/trees.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { repositoriesFolder } from "./far-records.ts";

const treesFolder = "trees";
/** The longest patch that is sent, in bytes. */
const longestPatch = 32 * 1024 * 1024;

type Answer = Omit<Extract<FromKeeper, { type: "tree" }>, "type" | "request">;

export class FarTrees {
  readonly #folder: string;
  /** What is asked depends on what was asked before. */
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
    return this.#next(async () => {
      for (const name of foldersIn(this.#treesOf(batch)))
        if (!names.includes(name)) await this.#drop(batch, name);
    });
  }

  /** Removes the working trees of batches that are free; and all repositories, if no other batch has any here. */
  prune(isFree: (batch: string) => boolean): Promise<void> {
    return this.#next(async () => {
      const batches = foldersIn(this.#folder).filter((name) => name !== repositoriesFolder);
      for (const batch of batches.filter(isFree)) {
        await removeTree(this.#treesOf(batch));
        removeEmptyFolders(join(this.#folder, batch), this.#folder);
      }
      if (batches.every((batch) => isFree(batch) && !this.has(batch)))
        await removeTree(join(this.#folder, repositoriesFolder));
    });
  }

  // What cannot be removed now is removed by the next `prune`.
  #next(act: () => Promise<void>): Promise<void> {
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
          return { answer: await this.#receive(batch, action, body) };
        case "check-out":
          return { answer: { directory: await this.#checkOut(batch, action) } };
        case "changes":
          return await this.#changes(batch, action.name);
        case "drop":
          await this.#drop(batch, action.name);
          return { answer: {} };
      }
    } catch (error) {
      const problem = messageOf(error);
      return { answer: { problem, ...(isPassing(error, problem) ? { isPassing: true } : {}) } };
    }
  }

  // The latest ones last, which alone are looked at if there are many.
  async #commitsOf(repository: string): Promise<string[]> {
    const at = this.#repository(repository);
    if (!isDirectory(at)) return [];
    const names = await git(["for-each-ref", "--sort=creatordate", "--format=%(objectname)", ownRefs], {
      directory: at,
    });
    return names.split("\n").filter(Boolean);
  }

  async #receive(
    batch: string,
    { repository, piece, isLast }: Extract<TreeAction, { do: "receive" }>,
    body: Uint8Array,
  ): Promise<Answer> {
    const at = this.#repository(repository);
    const bundle = `${at}.${batch}.bundle`;
    makePrivateDirectory(dirname(at));
    if (piece === 0) removePath(bundle);
    {
      using file = new AppendedFile(bundle, { isNew: piece === 0 });
      if (file.size !== piece * bundlePieceBytes)
        return { problem: "pieces of a bundle are missing", isInterrupted: true };
      file.append(body);
      if (file.size > mostBundleBytes) throw new BundleTooLarge(file.size);
    }
    if (!isLast) return {};
    try {
      if (!isDirectory(at)) await bareRepository(at, repository);
      await takeBundle(at, bundle);
    } finally {
      removePath(bundle);
    }
    return {};
  }

  async #checkOut(
    batch: string,
    { repository, commit, name }: Extract<TreeAction, { do: "check-out" }>,
  ): Promise<string> {
    const tree = this.#tree(batch, name);
    const note = this.#noteOf(tree);
    if (exists(note) && isDirectory(tree)) return tree;
    await removeTree(tree);
    makePrivateDirectory(dirname(tree));
    await cloneFor(this.#repository(repository), commit, tree);
    await replaceFile(note, `${repository} ${commit}`, { mode: 0o600 });
    return tree;
  }

  async #changes(batch: string, name: string): Promise<{ answer: Answer; body?: Uint8Array }> {
    const tree = this.#tree(batch, name);
    const note = this.#noteOf(tree);
    if (!exists(note)) throw new Error(`the working tree ${tree} is not there any more`);
    const [repository = "", commit = ""] = readText(note).split(" ");
    // The tree is still there, with all of it.
    const left = (says: string) => {
      throw new Error(says);
    };
    const of = { repository: this.#repository(repository), commit, message: "Changes", left };
    await using changes = await changesIn(tree, of);
    if (!changes) return { answer: { files: 0 } };
    const { files } = changes;
    const patch = await changes.patch();
    if (patch.length > longestPatch)
      throw new Error(
        `the patch of ${files} files is longer than ${longestPatch} bytes; they are in ${tree}`,
      );
    return { answer: { files, commit }, body: patch };
  }

  async #drop(batch: string, name: string): Promise<void> {
    const tree = this.#tree(batch, name);
    await removeTree(tree);
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
