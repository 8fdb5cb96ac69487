// Working trees of this machine on others: what is in one goes there as a commit, and what a session has changed comes back
// as a patch, which becomes a branch.
import { repositoryOf } from "../../claude/repository.ts";
import { bundlePieceBytes } from "../../far/messages.ts";
import type { Relocation } from "../../far/relocated.ts";
import { bundleFor, type Snapshot, snapshotOf } from "../../far/snapshot.ts";
import { withoutSecrets } from "../../git/git.ts";
import { branchRemark, takePatch } from "../../git/take-branch.ts";
import { OncePerKey, TurnPerKey } from "../../model/once.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { exists, readHead, realPath } from "../../platform/files.ts";
import { join } from "../../platform/paths.ts";
import { temporaryFolder } from "../../platform/temporary-folder.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { countText } from "../../report/amounts.ts";
import { NotNow, type Prepared } from "../attempt/workspace.ts";
import type { SshHost, TreeAnswer } from "./ssh-host.ts";

/** How often a bundle is sent again after the connection ended. */
const mostTries = 5;

/** A machine, as far as working trees are concerned. */
export type TreeHost = Pick<SshHost, "name" | "tree" | "textOf" | "canFetch">;

/** What the changes of a task become in a repository here. */
export interface ComesHome {
  branch: string;
  /** Of its commit. */
  message: string;
}

interface Tree extends ComesHome {
  name: string;
  /** Where the session works. */
  path: string;
  /** The directory here. */
  from: string;
}

export class Trees {
  /** Of the batch, on this machine. */
  readonly #folder: string;
  readonly #hasSource: boolean;
  /** One of each directory for all tasks of a runner. */
  readonly #snapshots = new OncePerKey<Snapshot>();
  /** What each machine gets, by its name and the commit: once. */
  readonly #sent = new OncePerKey<void>();
  /** Who waits for that. */
  readonly #wanting = new Map<string, Set<() => boolean>>();
  /** A remark about that, for the first task that it was sent for. */
  readonly #unsaid = new Map<string, string>();
  /** Each machine gets one bundle after the other. */
  readonly #sending = new TurnPerKey();
  /** What each of those that were prepared is a copy of, by its name. */
  readonly #copied = new Map<string, Relocation>();
  /** Those that are on each machine, or soon may be. */
  readonly #names = new Map<string, Set<string>>();

  /** `folder`: of the batch. `hasSource`: whether machines may get history from the remotes of repositories here. */
  constructor(folder: string, { hasSource = true }: { hasSource?: boolean } = {}) {
    this.#folder = folder;
    this.#hasSource = hasSource;
  }

  /** A working tree of its own on that machine. Throws if there can be none, or nobody wants it any more. */
  async prepare(
    host: TreeHost,
    directory: string,
    home: ComesHome,
    isWanted: () => boolean = () => true,
  ): Promise<Prepared> {
    const hasSource = this.#hasSource;
    const snapshot = await this.#snapshots.of(directory, () =>
      snapshotOf(directory, this.#folder, { hasSource }),
    );
    const name = Bun.randomUUIDv7();
    this.#add(host, name);
    try {
      await this.#send(host, snapshot, isWanted);
      const out = await this.#checkOut(host, { snapshot, name, isWanted });
      const path = [out.directory, snapshot.below].filter(Boolean).join("/");
      if (out.directory !== undefined) this.#copied.set(name, { here: snapshot.root, there: out.directory });
      const remark = this.#takeRemark(keyOf(host, snapshot));
      return this.#prepared(host, { name, path, from: directory, ...home }, remark);
    } catch (error) {
      this.#drop(host, name);
      throw error;
    }
  }

  async #checkOut(
    host: TreeHost,
    { snapshot, name, isWanted }: { snapshot: Snapshot; name: string; isWanted(): boolean },
  ): Promise<TreeAnswer> {
    const { name: repository, commit } = snapshot;
    const action = { do: "check-out", repository, commit, name } as const;
    const ask = () => host.tree(action, undefined, () => !isWanted());
    const first = await ask();
    if (first.problem === undefined || isForNow(first)) return answerOf(first);
    // Somebody may have removed the repository there.
    this.#sent.forget(keyOf(host, snapshot));
    await this.#send(host, snapshot, isWanted);
    return answerOf(await ask());
  }

  /** Of what a directory on another machine is a copy: prompts may name that. */
  relocationsOf(path: string): Relocation[] {
    const copied = this.#copied.get(treeIn(path) ?? "");
    return copied ? [copied] : [];
  }

  /** The working trees on a machine that this runner has. */
  namesOn(host: string): Iterable<string> {
    return this.#names.get(host) ?? [];
  }

  #add(host: TreeHost, name: string): void {
    const names = this.#names.get(host.name) ?? new Set();
    this.#names.set(host.name, names.add(name));
  }

  // Nothing waits for that: a machine that is away does it when it is back.
  #drop(host: TreeHost, name: string): void {
    this.#names.get(host.name)?.delete(name);
    this.#copied.delete(name);
    void host.tree({ do: "drop", name });
  }

  /** One that an earlier runner prepared; undefined if this directory there is none. `from`: the directory here. */
  adopt(host: TreeHost, path: string, from: string, home: ComesHome): Prepared | undefined {
    const name = treeIn(path);
    if (name === undefined) return undefined;
    this.#add(host, name);
    return this.#prepared(host, { name, path, from, ...home });
  }

  // `remark`: for the task, beside what it has changed.
  #prepared(host: TreeHost, tree: Tree, remark?: string): Prepared {
    const { name } = tree;
    const directory = host.textOf(tree.path);
    const patch = join(this.#folder, `changes-${name}.patch`);
    let isOnlyThere = false;
    const collect = async (isCancelled: () => boolean): Promise<string | undefined> => {
      const answer = await host.tree({ do: "changes", name }, undefined, isCancelled);
      const { files = 0, commit = "", body, problem } = answer;
      // The runner before this one may have fetched it.
      if (problem !== undefined && !exists(patch)) {
        isOnlyThere = true;
        return `What it changed could not be fetched from ${directory}: ${problem}`;
      }
      if (problem === undefined && files === 0) return undefined;
      if (problem === undefined)
        await replaceFile(patch, Buffer.concat([headOf({ files, commit }), body]), { mode: 0o600 });
      return await changesRemark(patch, { ...tree, host: host.name });
    };
    return {
      directory,
      collect: async (isCancelled) => {
        const collected = await collect(isCancelled);
        return [remark, collected].filter((one) => one !== undefined).join(" ") || undefined;
      },
      [Symbol.asyncDispose]: async () => {
        if (!isOnlyThere) this.#drop(host, name);
      },
    };
  }

  async #send(host: TreeHost, snapshot: Snapshot, isWanted: () => boolean): Promise<void> {
    const key = keyOf(host, snapshot);
    const wanting = this.#wanting.get(key) ?? new Set();
    this.#wanting.set(key, wanting.add(isWanted));
    const isUnwanted = () => ![...wanting].some((isStillWanted) => isStillWanted());
    try {
      await this.#sent.of(key, async () => {
        const known = await fetched(host, snapshot, isUnwanted);
        if (known.problem !== undefined) this.#unsaid.set(key, notFetched(host, snapshot, known.problem));
        await this.#sending.next(host.name, () => sendTo(host, snapshot, known.commits));
      });
    } finally {
      wanting.delete(isWanted);
    }
  }

  #takeRemark(key: string): string | undefined {
    const remark = this.#unsaid.get(key);
    this.#unsaid.delete(key);
    return remark;
  }
}

/** What a machine has got from the remote: commits, and why it lacks others. */
interface Fetched {
  commits: readonly string[];
  problem?: string;
}

// Whatever keeps a machine from it, the same files can be sent from here.
async function fetched(host: TreeHost, snapshot: Snapshot, isUnwanted: () => boolean): Promise<Fetched> {
  const { name: repository, source } = snapshot;
  if (!source || !host.canFetch) return { commits: [] };
  const { url, commits: asked } = source;
  const action = { repository, url, commits: [...asked] };
  const answer = await host.tree({ do: "fetch", ...action }, undefined, isUnwanted);
  if (answer.away !== undefined) throw new NotNow(answer.problem ?? "", answer.away);
  const { commits = [], problem } = answer;
  if (problem !== undefined) return { commits, problem };
  const isWhole = asked.every((commit) => commits.includes(commit));
  return isWhole ? { commits } : { commits, problem: "it does not have all that the remote had last" };
}

function notFetched(host: TreeHost, { source }: Snapshot, problem: string): string {
  const because = withoutSecrets(problem).slice(0, longestProblem);
  return `${host.name} could not get ${source?.url} by itself (${because}), so its files were sent from here.`;
}

/** Of why something was not fetched, in characters. */
const longestProblem = 300;

interface Patch {
  files: number;
  /** On which it stands. */
  commit: string;
}

// What stands before the first difference is a remark for Git.
function headOf({ files, commit }: Patch): Uint8Array {
  return new TextEncoder().encode(`${countText(files, "file")} changed since ${commit}\n\n`);
}

function patchAt(path: string): Patch {
  const [, files = "", commit = ""] =
    /^([\d,]+) files? changed since (\w+)\n/.exec(readHead(path, 200) ?? "") ?? [];
  return { files: Number(files.replaceAll(",", "")), commit };
}

// In a repository, the changes become a branch. The patch stays, and serves where there is none.
async function changesRemark(
  patch: string,
  { host, from, branch, message }: Tree & { host: string },
): Promise<string> {
  const { files, commit } = patchAt(patch);
  const root = repositoryOf(realPath(from))?.root;
  const taken =
    root === undefined ? undefined : await takePatch(root, { base: commit, patch, branch, message });
  if (taken?.ok) return branchRemark(files, taken.branch);
  const to = `\`git -C ${shellQuoted(root ?? from)} apply ${shellQuoted(patch)}\``;
  return [
    `It changed ${countText(files, "file")} on ${host}.`,
    ...(taken ? [taken.because] : []),
    `To have that here: ${to}.`,
  ].join(" ");
}

// `known`: commits that the machine has, beside those that were sent before.
async function sendTo(host: TreeHost, snapshot: Snapshot, known: readonly string[]): Promise<void> {
  const { name: repository } = snapshot;
  using folder = temporaryFolder();
  const file = join(folder.path, "work.bundle");
  for (let tries = 1; ; tries++) {
    let sent = 0;
    const { commits = [] } = answerOf(await host.tree({ do: "have", repository }));
    if (!(await bundleFor(snapshot, [...commits, ...known], file))) return;
    const answer = await sendFile(host, repository, file, () => sent++);
    if (answer.problem === undefined) return;
    if (answer.isInterrupted !== true) answerOf(answer);
    // A line over which nothing passes says nothing about the task.
    if (sent > 0) tries = 0;
    else if (tries === mostTries) throw new NotNow(`${host.name}: ${answer.problem}`, "waited-for");
  }
}

// One piece after the other, so that others get their turns.
async function sendFile(
  host: TreeHost,
  repository: string,
  path: string,
  passed: () => void,
): Promise<TreeAnswer> {
  const file = Bun.file(path);
  for (let piece = 0; ; piece++) {
    const from = piece * bundlePieceBytes;
    const isLast = from + bundlePieceBytes >= file.size;
    const bytes = await file.slice(from, from + bundlePieceBytes).bytes();
    const answer = await host.tree({ do: "receive", repository, piece, isLast }, bytes);
    if (isLast || answer.problem !== undefined) return answer;
    passed();
  }
}

function answerOf(answer: TreeAnswer): TreeAnswer {
  const { problem, away } = answer;
  if (problem !== undefined && isForNow(answer)) throw new NotNow(problem, away);
  if (problem !== undefined) throw new Error(problem);
  return answer;
}

function isForNow({ away, isPassing }: TreeAnswer): boolean {
  return away !== undefined || isPassing === true;
}

function keyOf(host: TreeHost, { commit }: Snapshot): string {
  return `${host.name} ${commit}`;
}

/** The working tree in which a path on another machine is; undefined if it is in none of ours. */
export function treeIn(path: string): string | undefined {
  return /\/trees\/([\w-]{1,64})(?:\/|$)/.exec(path)?.[1];
}
