// Working trees of this machine on others: what is in one goes there as a commit, and what a session has changed comes back
// as a patch, which nobody applies but the user.
import { bundleFor, type Snapshot, snapshotOf } from "../../far/snapshot.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { join, temporaryDirectory } from "../../platform/paths.ts";
import { removePath } from "../../platform/removal.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { countText } from "../../report/amounts.ts";
import type { Prepared } from "../attempt/workspace.ts";
import { interrupted, type SshHost, type TreeAnswer } from "./ssh-host.ts";

/** How much of a bundle goes at once, in bytes. */
const pieceBytes = 4 * 1024 * 1024;
/** How often a bundle is sent again after the connection ended. */
const mostTries = 5;

export class Trees {
  /** Of the batch, on this machine. */
  readonly #folder: string;
  /** One of each directory for all tasks of a runner. */
  readonly #snapshots = new Map<string, Promise<Snapshot>>();
  /** What each machine gets, by its name and the commit: once. */
  readonly #sent = new Map<string, Promise<void>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A working tree of its own on that machine. Throws if there can be none. */
  async prepare(host: SshHost, directory: string): Promise<Prepared> {
    const snapshot = await this.#snapshotOf(directory);
    const { repository, commit, prefix } = snapshot;
    await this.#send(host, snapshot);
    const name = Bun.randomUUIDv7();
    const out = answerOf(await host.tree({ do: "check-out", repository, commit, name }));
    const path = [out.directory, prefix].filter(Boolean).join("/");
    return this.#prepared(host, { name, path, root: snapshot.root });
  }

  /** One that an earlier runner prepared; undefined if this directory there is none. */
  adopt(host: SshHost, path: string, root: string): Prepared | undefined {
    const [, name] = /\/trees\/([\w-]+)(?:\/|$)/.exec(path) ?? [];
    return name === undefined ? undefined : this.#prepared(host, { name, path, root });
  }

  #prepared(host: SshHost, { name, path, root }: { name: string; path: string; root: string }): Prepared {
    return {
      directory: host.textOf(path),
      collect: () => this.#collect(host, { name, root }),
      [Symbol.asyncDispose]: async () => {
        answerOf(await host.tree({ do: "drop", name }));
      },
    };
  }

  async #collect(host: SshHost, { name, root }: { name: string; root: string }): Promise<string | undefined> {
    const { files = 0, body } = answerOf(await host.tree({ do: "changes", name }));
    if (files === 0) return undefined;
    const patch = join(this.#folder, `changes-${name}.patch`);
    await replaceFile(patch, new Uint8Array(body), { mode: 0o600 });
    const what = countText(files, "file", "files");
    return `It changed ${what} on ${host.name}. To have that here: \`git -C ${shellQuoted(root)} apply ${shellQuoted(patch)}\`.`;
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

  async #send(host: SshHost, snapshot: Snapshot): Promise<void> {
    const key = `${host.name} ${snapshot.commit}`;
    const known = this.#sent.get(key) ?? sendTo(host, snapshot);
    this.#sent.set(key, known);
    try {
      await known;
    } catch (error) {
      this.#sent.delete(key);
      throw error;
    }
  }
}

async function sendTo(host: SshHost, snapshot: Snapshot): Promise<void> {
  const { repository } = snapshot;
  const file = join(temporaryDirectory(), `parallel-claude-${crypto.randomUUID()}.bundle`);
  try {
    for (let tries = 1; ; tries++) {
      const { commits = [] } = answerOf(await host.tree({ do: "have", repository }));
      if (!(await bundleFor(snapshot, commits, file))) return;
      const answer = await sendFile(host, repository, file);
      if (answer.problem === undefined) return;
      if (answer.problem !== interrupted || tries === mostTries) answerOf(answer);
    }
  } finally {
    removePath(file);
  }
}

// One piece after the other, so that others get their turns.
async function sendFile(host: SshHost, repository: string, path: string): Promise<TreeAnswer> {
  const file = Bun.file(path);
  for (let piece = 0; ; piece++) {
    const from = piece * pieceBytes;
    const isLast = from + pieceBytes >= file.size;
    const bytes = await file.slice(from, from + pieceBytes).bytes();
    const answer = await host.tree({ do: "receive", repository, piece, isLast }, bytes);
    if (isLast || answer.problem !== undefined) return answer;
  }
}

function answerOf(answer: TreeAnswer): TreeAnswer {
  if (answer.problem !== undefined) throw new Error(answer.problem);
  return answer;
}
