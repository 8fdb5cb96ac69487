// Working trees of this machine on others: what is in one goes there as a commit, and what a session has changed comes back
// as a patch, which nobody applies but the user.
import { bundlePieceBytes, interrupted } from "../../far/messages.ts";
import type { Relocation } from "../../far/relocated.ts";
import { bundleFor, type Snapshot, snapshotOf } from "../../far/snapshot.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { exists } from "../../platform/files.ts";
import { join, temporaryDirectory } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { countText } from "../../report/amounts.ts";
import { NotNow, type Prepared } from "../attempt/workspace.ts";
import type { SshHost, TreeAnswer } from "./ssh-host.ts";

/** How often a bundle is sent again after the connection ended. */
const mostTries = 5;

/** A machine, as far as working trees are concerned. */
export type TreeHost = Pick<SshHost, "name" | "tree" | "textOf">;

export class Trees {
  /** Of the batch, on this machine. */
  readonly #folder: string;
  /** One of each directory for all tasks of a runner. */
  readonly #snapshots = new Map<string, Promise<Snapshot>>();
  /** What each machine gets, by its name and the commit: once. */
  readonly #sent = new Map<string, Promise<void>>();
  /** The last of what each machine gets: one bundle after the other. */
  readonly #sending = new Map<string, Promise<void>>();
  /** What each of those that were prepared is a copy of, by its name. */
  readonly #copied = new Map<string, Relocation>();
  /** Those that are on each machine, or soon may be. */
  readonly #names = new Map<string, Set<string>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A working tree of its own on that machine. Throws if there can be none. */
  async prepare(host: TreeHost, directory: string): Promise<Prepared> {
    const snapshot = await this.#snapshotOf(directory);
    const name = Bun.randomUUIDv7();
    this.#add(host, name);
    try {
      await this.#send(host, snapshot);
      const out = await this.#checkOut(host, snapshot, name);
      const path = [out.directory, snapshot.prefix].filter(Boolean).join("/");
      if (out.directory !== undefined) this.#copied.set(name, { here: snapshot.root, there: out.directory });
      return this.#prepared(host, { name, path, root: snapshot.root });
    } catch (error) {
      this.#drop(host, name);
      throw error;
    }
  }

  async #checkOut(host: TreeHost, snapshot: Snapshot, name: string): Promise<TreeAnswer> {
    const { repository, commit } = snapshot;
    const ask = () => host.tree({ do: "check-out", repository, commit, name });
    const first = await ask();
    if (first.problem === undefined || isForNow(first)) return answerOf(first);
    // Somebody may have removed the repository there.
    this.#sent.delete(keyOf(host, snapshot));
    await this.#send(host, snapshot);
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

  /** One that an earlier runner prepared; undefined if this directory there is none. */
  adopt(host: TreeHost, path: string, root: string): Prepared | undefined {
    const name = treeIn(path);
    if (name === undefined) return undefined;
    this.#add(host, name);
    return this.#prepared(host, { name, path, root });
  }

  #prepared(host: TreeHost, { name, path, root }: { name: string; path: string; root: string }): Prepared {
    const directory = host.textOf(path);
    const patch = join(this.#folder, `changes-${name}.patch`);
    let isOnlyThere = false;
    return {
      directory,
      collect: async (isCancelled) => {
        const answer = await host.tree({ do: "changes", name }, undefined, isCancelled);
        const { files = 0, body, problem } = answer;
        const to = `\`git -C ${shellQuoted(root)} apply ${shellQuoted(patch)}\``;
        if (problem !== undefined) {
          // The runner before this one may have fetched it.
          if (exists(patch)) return `It changed files on ${host.name}. To have that here: ${to}.`;
          isOnlyThere = true;
          return `What it changed could not be fetched from ${directory}: ${problem}`;
        }
        if (files === 0) return undefined;
        await replaceFile(patch, new Uint8Array(body), { mode: 0o600 });
        return `It changed ${countText(files, "file", "files")} on ${host.name}. To have that here: ${to}.`;
      },
      [Symbol.asyncDispose]: async () => {
        if (!isOnlyThere) this.#drop(host, name);
      },
    };
  }

  async #snapshotOf(directory: string): Promise<Snapshot> {
    const known = this.#snapshots.get(directory) ?? snapshotOf(directory);
    this.#snapshots.set(directory, known);
    try {
      return await known;
    } catch (error) {
      this.#snapshots.delete(directory);
      throw error;
    }
  }

  async #send(host: TreeHost, snapshot: Snapshot): Promise<void> {
    const key = keyOf(host, snapshot);
    const before = this.#sending.get(host.name) ?? Promise.resolve();
    const known = this.#sent.get(key) ?? before.then(() => sendTo(host, snapshot));
    this.#sent.set(key, known);
    this.#sending.set(
      host.name,
      known.catch(() => undefined),
    );
    try {
      await known;
    } catch (error) {
      this.#sent.delete(key);
      throw error;
    }
  }
}

async function sendTo(host: TreeHost, snapshot: Snapshot): Promise<void> {
  const { repository } = snapshot;
  const file = join(temporaryDirectory(), `parallel-claude-${crypto.randomUUID()}.bundle`);
  try {
    for (let tries = 1; ; tries++) {
      let sent = 0;
      const { commits = [] } = answerOf(await host.tree({ do: "have", repository }));
      if (!(await bundleFor(snapshot, commits, file))) return;
      const answer = await sendFile(host, repository, file, () => sent++);
      if (answer.problem === undefined) return;
      if (answer.problem !== interrupted) answerOf(answer);
      // A line over which nothing passes says nothing about the task.
      if (sent > 0) tries = 0;
      else if (tries === mostTries) throw new NotNow(`${host.name}: ${interrupted}`, "waited-for");
    }
  } finally {
    removePath(file);
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
