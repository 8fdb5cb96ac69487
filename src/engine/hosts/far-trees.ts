// Working trees that a far keeper has for the tasks of others: a clone for each, which borrows from one repository, and what
// sessions have changed in them.

import { bundlePieceBytes, type FromKeeper, type TreeAction } from "../../far/messages.ts";
import { BundleTooLarge, bareRepository, mostBundleBytes, ownRefs, takeBundle } from "../../git/bundle.ts";
import { git } from "../../git/git.ts";
import { checkAnswers, fetchCommit, hasCommit } from "../../git/mirror.ts";
import { isLocalUrl, urlTrouble } from "../../git/remote.ts";
import { changesIn, cloneFor } from "../../git/task-clone.ts";
import { FewAtOnce, TurnPerKey } from "../../model/once.ts";
import { AppendedFile } from "../../platform/appended-file.ts";
import { exists, isDirectory, makePrivateDirectory, readText } from "../../platform/files.ts";
import { foldersIn, namesIn, removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, join } from "../../platform/paths.ts";
import { processorCount } from "../../platform/processors.ts";
import { removePath } from "../../platform/removal.ts";
import { messageOf, systemCode } from "../../platform/system-error.ts";
import { placeDirectory, removeTree } from "../../platform/trees.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { countText } from "../../report/amounts.ts";
import { repositoriesFolder } from "./far-records.ts";

const treesFolder = "trees";
const bundleEnd = ".bundle";
/** The longest patch that is sent, in bytes. */
const longestPatch = 32 * 1024 * 1024;
/** New files of more than this, in bytes, make no patch that is short enough. */
const mostNewBytes = 8 * longestPatch;

/** How long a server may take to say anything before the files come from elsewhere, in milliseconds. */
const serverMs = 20_000;

type Answer = Omit<Extract<FromKeeper, { type: "tree" }>, "type" | "request">;

export class FarTrees {
  readonly #folder: string;
  /** Of each repository and of each working tree, one thing after the other. */
  readonly #turns = new TurnPerKey();
  /** What is done at present. */
  readonly #acting = new Set<Promise<unknown>>();
  /** What is fetched from servers, which may take long: nobody waits for it but those who need the same repository. */
  readonly #fetching = new Map<Promise<unknown>, { batch: string; stop: AbortController }>();
  /** The last thing that concerns all of them: it waits for what is done, and what comes later waits for it. */
  #ofAll: Promise<unknown> = Promise.resolve();
  /** What reads or writes whole working trees: more of it at once would only be slower. */
  readonly #few = new FewAtOnce(processorCount());
  /** Check-outs that are asked for, by working tree. */
  readonly #checkOuts = new Map<string, AbortController>();

  /** `folder`: of far sessions. Absolute. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Does what is asked for a batch, after what was asked before of the same repository or working tree. Never throws. */
  act(batch: string, action: TreeAction, body: Uint8Array): Promise<{ answer: Answer; body?: Uint8Array }> {
    const tree = "name" in action ? this.#tree(batch, action.name) : undefined;
    // What is still being checked out is not wanted any more.
    if (tree !== undefined && action.do === "drop") this.#checkOuts.get(tree)?.abort();
    if (tree !== undefined && action.do === "check-out" && !this.#checkOuts.has(tree))
      this.#checkOuts.set(tree, new AbortController());
    const key = tree ?? ("repository" in action ? this.#repository(action.repository) : "");
    const stop = new AbortController();
    const act = () => this.#act(batch, action, { body, signal: stop.signal });
    const done = this.#ofAll.then(() => this.#turns.next(key, act));
    const isFetch = action.do === "fetch";
    if (isFetch) this.#fetching.set(done, { batch, stop });
    else this.#acting.add(done);
    void done.finally(() => (isFetch ? this.#fetching : this.#acting).delete(done));
    return done;
  }

  /** Whether something is fetched. */
  get isFetching(): boolean {
    return this.#fetching.size > 0;
  }

  /** Whether anything is done for somebody: the next keeper must not do it beside programs that this one has started. */
  get isBusy(): boolean {
    return this.#acting.size > 0 || this.isFetching;
  }

  /** Whether a batch has working trees here. */
  has(batch: string): boolean {
    return isDirectory(this.#treesOf(batch));
  }

  /** Removes the bundles that came only in part: who sends them begins anew. Call once, before anything comes. */
  removeParts(): void {
    const folder = join(this.#folder, repositoriesFolder);
    for (const name of namesIn(folder)) if (name.endsWith(bundleEnd)) removePath(join(folder, name));
  }

  /** Removes those of a batch that its runner does not know, and what came only in part. */
  keepOnly(batch: string, names: readonly string[]): Promise<void> {
    return this.#next(async () => {
      const folder = join(this.#folder, repositoriesFolder);
      for (const name of namesIn(folder))
        if (name.endsWith(`.${batch}${bundleEnd}`)) removePath(join(folder, name));
      for (const name of foldersIn(this.#treesOf(batch)))
        if (!names.includes(name)) await this.#drop(batch, name);
    });
  }

  /** Removes the working trees of batches that are free; and all repositories, if no other batch has any here. */
  prune(isFree: (batch: string) => boolean): Promise<void> {
    // Those that come later wait for this.
    const fetching = [...this.#fetching];
    return this.#next(async () => {
      const ended = fetching.filter(([, { batch }]) => isFree(batch));
      for (const [, { stop }] of ended) stop.abort();
      await Promise.all(ended.map(([done]) => done));
      const batches = foldersIn(this.#folder).filter((name) => name !== repositoriesFolder);
      for (const batch of batches.filter(isFree)) {
        await removeTree(this.#treesOf(batch));
        for (const tree of this.#checkOuts.keys())
          if (dirname(tree) === this.#treesOf(batch)) this.#checkOuts.delete(tree);
        removeEmptyFolders(join(this.#folder, batch), this.#folder);
      }
      if (!this.isFetching && batches.every((batch) => isFree(batch) && !this.has(batch)))
        await removeTree(join(this.#folder, repositoriesFolder));
    });
  }

  // What cannot be removed now is removed by the next `prune`.
  #next(act: () => Promise<void>): Promise<void> {
    const done = Promise.all([this.#ofAll, ...this.#acting])
      .then(act)
      .catch(() => undefined);
    this.#ofAll = done;
    return done;
  }

  async #act(
    batch: string,
    action: TreeAction,
    { body, signal }: { body: Uint8Array; signal: AbortSignal },
  ): Promise<{ answer: Answer; body?: Uint8Array }> {
    try {
      switch (action.do) {
        case "have":
          return { answer: { commits: await this.#commitsOf(action.repository) } };
        case "fetch":
          return { answer: { commits: await this.#fetch(action, signal) } };
        case "receive":
          return { answer: await this.#receive(batch, action, body) };
        case "check-out":
          return { answer: { directory: await this.#few.next(() => this.#checkOut(batch, action)) } };
        case "changes":
          return await this.#few.next(() => this.#changes(batch, action.name));
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

  // Those of the commits that are there then.
  async #fetch(
    { repository, url, commits }: Extract<TreeAction, { do: "fetch" }>,
    signal: AbortSignal,
  ): Promise<string[]> {
    const trouble = isLocalUrl(url) ? "names a place on its sender's disk" : urlTrouble(url);
    if (trouble !== undefined) throw new Error(`the address of the repository ${trouble}`);
    const at = this.#repository(repository);
    await makeRepository(at, repository);
    const from = { url, signal };
    const areThere = async () => {
      const all = await Promise.all(commits.map((commit) => hasCommit(at, commit, from)));
      return commits.filter((_, index) => all[index]);
    };
    const before = await areThere();
    if (before.length === commits.length) return before;
    await checkAnswers(at, from, serverMs);
    // What one fetch does not bring, another one would not, either.
    for (const commit of commits) if (!(await fetchCommit(at, commit, from))) break;
    return await areThere();
  }

  async #receive(
    batch: string,
    { repository, piece, isLast }: Extract<TreeAction, { do: "receive" }>,
    body: Uint8Array,
  ): Promise<Answer> {
    const at = this.#repository(repository);
    const bundle = `${at}.${batch}${bundleEnd}`;
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
      await makeRepository(at, repository);
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
    const signal = this.#checkOuts.get(tree)?.signal;
    await cloneFor(this.#repository(repository), commit, tree, { signal });
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
    const own = this.#repository(repository);
    const most = { mostBytes: mostNewBytes, mostGrowth: mostNewBytes };
    const of = { repository: own, commit, message: "Changes", ...most, left };
    await using changes = await changesIn(tree, of);
    if (!changes) return { answer: { files: 0 } };
    const { files } = changes;
    const patch = await changes.patch(longestPatch).catch((error) => {
      throw new Error(
        `the patch of ${countText(files, "file")} cannot be sent: ${messageOf(error)}; the changes are in ${tree}`,
      );
    });
    return { answer: { files, commit }, body: patch };
  }

  async #drop(batch: string, name: string): Promise<void> {
    const tree = this.#tree(batch, name);
    this.#checkOuts.delete(tree);
    await removeTree(tree);
    removePath(this.#noteOf(tree));
    // Another one of the batch may be about to be made in that folder.
    const isLast = ![...this.#checkOuts.keys()].some((other) => dirname(other) === dirname(tree));
    if (isLast) removeEmptyFolders(dirname(tree), this.#folder);
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

// Unless it is there. Whole or not at all: where half of one is, Git takes the repository around it, whose branches a fetch would replace.
async function makeRepository(at: string, name: string): Promise<void> {
  if (exists(join(at, "HEAD"))) return;
  const beside = `${at}.new`;
  for (const left of [at, beside]) await removeTree(left);
  makePrivateDirectory(dirname(at));
  await bareRepository(beside, name);
  await placeDirectory(beside, at);
}

// Git says such things only in its messages.
function isPassing(error: unknown, problem: string): boolean {
  return systemCode(error) !== undefined || /No space left|Disk quota|Cannot allocate memory/i.test(problem);
}
