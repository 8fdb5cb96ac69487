// The files of a task travel to a worker and back: the same files there, and a branch here.
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlobStore, blobStoreOf } from "../../src/fleet/blobs.ts";
import { openWork, removeLeftWork, WorkFailed } from "../../src/fleet/open-work.ts";
import { packWork, whyNotPacked } from "../../src/fleet/pack-work.ts";
import { releaseWork, takeChanges } from "../../src/fleet/take-changes.ts";
import type { Changes, Work } from "../../src/fleet/work.ts";
import { ownRefs } from "../../src/git/bundle.ts";
import { isOutage } from "../../src/git/git.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";

/** A submitter with a repository, its remote, a worker's folder and a blob store. */
class Two implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "pccm-two-"));
  readonly repository = join(this.path, "shop");
  readonly remote = join(this.path, "remote.git");
  readonly folder = join(this.path, "worker");
  readonly blobs: BlobStore;

  constructor() {
    const blobs = join(this.path, "blobs");
    for (const directory of [blobs, this.folder, this.repository]) mkdirSync(directory);
    this.blobs = blobStoreOf({ blobs, s3: {} });
    this.run(this.path, "init", "-q", "--bare", "-b", "main", this.remote);
    this.run(this.path, "init", "-q", "-b", "main", this.repository);
    this.write("a.txt", "one\n");
    this.write("src/deep/b.txt", "two\n");
    this.write(".gitignore", "ignored/\n");
    this.git("add", "-A");
    this.git("commit", "-q", "-m", "first");
    this.git("remote", "add", "origin", this.remote);
    this.git("push", "-q", "-u", "origin", "main");
  }

  write(name: string, text: string): void {
    const path = join(this.repository, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  }

  /** Git as its user runs it. */
  git(...words: string[]): string {
    return this.run(this.repository, ...words);
  }

  run(directory: string, ...words: string[]): string {
    const who = ["-c", "user.name=me", "-c", "user.email=me@localhost"];
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.path, GIT_CONFIG_NOSYSTEM: "1" };
    const { success, stdout, stderr } = Bun.spawnSync(["git", ...who, ...words], { cwd: directory, env });
    if (!success) throw new Error(`git ${words.join(" ")}: ${stderr}`);
    return stdout.toString().trimEnd();
  }

  async packed(directory = this.repository): Promise<Extract<Work, { kind: "git" }>> {
    const packed = await packWork(directory, { shared: [], blobs: this.blobs, name: "b4k2/work" });
    if (!packed.ok || packed.work.kind !== "git") throw new Error(JSON.stringify(packed));
    return packed.work;
  }

  open(work: Work) {
    return openWork(work, { folder: this.folder, blobs: this.blobs, directories: [] });
  }

  take(changes: Changes, branch = "b4k2/1") {
    return takeChanges(changes, { directory: this.repository, branch, blobs: this.blobs });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const how = { name: "b4k2/1-1/changes", message: "Task 1" };

function incompressible(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/** Every file below a directory, with its text; links with where they lead. */
function filesOf(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((one) => !one.isDirectory() && !join(one.parentPath, one.name).includes("/.git/"))
    .map((one): [string, string] => {
      const path = join(one.parentPath, one.name);
      return [path.slice(directory.length + 1), one.isFile() ? readFileSync(path, "utf8") : "a link"];
    });
  return Object.fromEntries(entries.sort());
}

test.each([
  ["fatal: unable to access 'https://x/': Could not resolve host: x", true],
  [
    "ssh: connect to host x port 22: Connection timed out\nfatal: Could not read from remote repository.",
    true,
  ],
  ["fatal: unable to access 'https://x/': The requested URL returned error: 503", true],
  ["fatal: write error: No space left on device", true],
  ["fatal: unable to access 'https://x/': The requested URL returned error: 403", false],
  ["git@x: Permission denied (publickey).\nConnection closed by x\nfatal: Could not read", false],
  ["remote: Repository not found.\nfatal: repository 'https://x/' not found", false],
  ["fatal: '/srv/a' does not appear to be a git repository", false],
])("whether Git says so of an outage: %s", (said, expected) => {
  expect(isOutage(said)).toBe(expected);
});

describeNeeding("git", "a system other than Windows")("the work of a task", () => {
  test("a pushed commit needs no bundle, and the worker has its files", async () => {
    using two = new Two();
    const work = await two.packed();
    expect(work).toEqual({
      kind: "git",
      url: two.remote,
      commit: two.git("rev-parse", "HEAD"),
      head: two.git("rev-parse", "HEAD"),
      below: "",
    });
    await using open = await two.open(work);
    expect(filesOf(open.directory)).toEqual(filesOf(two.repository));
    expect(await open.changes(how)).toBe(undefined);
  });

  test("what is not committed or not pushed goes along, and nothing changes here", async () => {
    using two = new Two();
    two.write("pushed-not.txt", "committed\n");
    two.git("add", "-A");
    two.git("commit", "-q", "-m", "second");
    two.write("a.txt", "changed\n");
    two.write("new/untracked.txt", "new\n");
    two.write("staged.txt", "staged\n");
    two.git("add", "staged.txt");
    two.write("ignored/secret.txt", "not sent\n");
    rmSync(join(two.repository, "src/deep/b.txt"));
    symlinkSync("a.txt", join(two.repository, "link"));
    writeFileSync(join(two.repository, "run.sh"), "#!/bin/sh\n");
    chmodSync(join(two.repository, "run.sh"), 0o755);
    const before = [two.git("status", "--porcelain"), two.git("rev-parse", "HEAD"), two.git("stash", "list")];
    const work = await two.packed();
    expect([
      two.git("status", "--porcelain"),
      two.git("rev-parse", "HEAD"),
      two.git("stash", "list"),
    ]).toEqual(before);
    expect(work.bundle?.bytes).toBeLessThan(3_000);
    await using open = await two.open(work);
    const { "ignored/secret.txt": _, ...sent } = filesOf(two.repository);
    expect(filesOf(open.directory)).toEqual(sent);
    expect(statSync(join(open.directory, "run.sh")).mode & 0o111).toBe(0o111);
  });

  test("a second pack of the same files leaves the first one for those who wait with it", async () => {
    using two = new Two();
    two.write("a.txt", "changed\n");
    const first = await two.packed();
    // Two packs of one commit may differ.
    const name = (await two.packed()).bundle?.name ?? "";
    await two.blobs.put(name, new TextEncoder().encode("another pack"));
    await using open = await two.open(first);
    expect(filesOf(open.directory)).toMatchObject({ "a.txt": "changed\n" });
  });

  test("the blob store that is away is an outage, and a bundle that it does not have is none", async () => {
    using two = new Two();
    two.write("a.txt", "changed\n");
    const work = await two.packed();
    const blobs = join(two.path, "blobs");
    const failure = async () => {
      try {
        await two.open(work);
      } catch (error) {
        if (error instanceof WorkFailed) return error;
      }
      throw new Error("It was opened");
    };
    rmSync(blobs, { recursive: true });
    expect(await failure()).toMatchObject({ isTemporary: true, isOutage: true });
    mkdirSync(blobs);
    expect(await failure()).toMatchObject({ isTemporary: true, isOutage: false });
  });

  test("a fetch from a server that says nothing ends once the task is not wanted any more", async () => {
    using two = new Two();
    const leaving = new AbortController();
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: () => leaving.abort("stopped") },
    });
    const work = { ...(await two.packed()), url: `git://127.0.0.1:${server.port}/x` };
    const { folder, blobs } = two;
    const open = openWork(work, { folder, blobs, directories: [], signal: leaving.signal });
    await expect(open).rejects.toThrow(WorkFailed);
  });

  test("files of repositories that a task makes come back as files, with and without a commit", async () => {
    using two = new Two();
    await using open = await two.open(await two.packed());
    const write = (name: string) => {
      mkdirSync(join(open.directory, name, ".."), { recursive: true });
      writeFileSync(join(open.directory, name), name);
    };
    for (const name of ["new.txt", "app/main.txt", "lib/deep/a.txt"]) write(name);
    two.run(open.directory, "init", "-q", "app");
    two.run(open.directory, "init", "-q", "lib");
    two.run(join(open.directory, "lib"), "add", ".");
    two.run(join(open.directory, "lib"), "commit", "-q", "-m", "own");
    two.run(open.directory, "init", "-q", "lib/inner");
    write("lib/inner/b.txt");
    const left: string[] = [];
    const changes = await open.changes({ ...how, left: (says) => left.push(says) });
    expect([changes?.files, left]).toEqual([4, []]);
    if (!changes) throw new Error("Nothing has changed");
    expect(await two.take(changes)).toMatchObject({ ok: true });
    expect(two.git("ls-tree", "-r", "--name-only", "b4k2/1").split("\n")).toEqual([
      ".gitignore",
      "a.txt",
      "app/main.txt",
      "lib/deep/a.txt",
      "lib/inner/b.txt",
      "new.txt",
      "src/deep/b.txt",
    ]);
  });

  test("what cannot be read of a task's files is said, and the rest comes back", async () => {
    using two = new Two();
    await using open = await two.open(await two.packed());
    writeFileSync(join(open.directory, "new.txt"), "new");
    // Which Windows may take for `.git`.
    writeFileSync(join(open.directory, "git~1"), "never");
    const left: string[] = [];
    const changes = await open.changes({ ...how, left: (says) => left.push(says) });
    expect(changes?.files).toBe(1);
    expect(left).toEqual([expect.stringMatching(/^Some files could not be read: .*git~1/)]);
  });

  test("of new files that are too much, the longest do not come back, which is said, and all else does", async () => {
    using two = new Two();
    await using open = await two.open(await two.packed());
    writeFileSync(join(open.directory, "a.txt"), "changed\n");
    writeFileSync(join(open.directory, "new.txt"), "new");
    // It has a length, and takes no room.
    writeFileSync(join(open.directory, "data.bin"), "");
    truncateSync(join(open.directory, "data.bin"), 2_000_000_000);
    const left: string[] = [];
    const changes = await open.changes({ ...how, left: (says) => left.push(says) });
    expect(left).toEqual([expect.stringContaining("1 file of 2000 MB did not come back")]);
    expect(left[0]).toContain("the longest is data.bin");
    if (!changes) throw new Error("There are no changes");
    await two.take(changes);
    expect(two.git("diff", "--name-status", "main", "b4k2/1")).toBe("M\ta.txt\nA\tnew.txt");
  });

  test("changed files count as what comes back, and leave less room for new ones", async () => {
    using two = new Two();
    await using open = await two.open(await two.packed());
    for (const [name, bytes] of [
      ["a.txt", 40_000],
      ["new.bin", 30_000],
      ["long.bin", 50_000],
    ] as const)
      writeFileSync(join(open.directory, name), incompressible(bytes));
    const left: string[] = [];
    const as = { ...how, mostBytes: 100_000, left: (says: string) => left.push(says) };
    const changes = await open.changes(as);
    expect(left).toEqual([expect.stringContaining("the longest is long.bin")]);
    if (!changes) throw new Error("There are no changes");
    await two.take(changes);
    expect(two.git("diff", "--name-status", "main", "b4k2/1")).toBe("M\ta.txt\nA\tnew.bin");
    await expect(open.changes({ ...as, mostBytes: 20_000 })).rejects.toThrow(/would have to be sent/);
  });

  test("the files of all repositories inside it together are no more than may come back", async () => {
    using two = new Two();
    await using open = await two.open(await two.packed());
    for (const name of ["one", "two"]) {
      two.run(open.directory, "init", "-q", name);
      writeFileSync(join(open.directory, name, "data.bin"), incompressible(60_000));
    }
    const changes = await open.changes({ ...how, mostBytes: 100_000 });
    if (!changes) throw new Error("There are no changes");
    await two.take(changes);
    expect(two.git("diff", "--name-status", "main", "b4k2/1")).toBe("A\tone/data.bin");
  });

  test("a pack of many objects stays one", async () => {
    using two = new Two();
    await using open = await two.open(await two.packed());
    for (let count = 0; count < 120; count++) writeFileSync(join(open.directory, `${count}.txt`), `${count}`);
    const changes = await open.changes(how);
    if (!changes) throw new Error("There are no changes");
    await two.take(changes);
    const names = readdirSync(join(two.repository, ".git/objects/pack"));
    expect(names.filter((name) => name.endsWith(".pack"))).toHaveLength(1);
  });

  test("no files are checked out for a task that is not wanted any more", async () => {
    using two = new Two();
    const work = await two.packed();
    // The repository is here by now.
    await (await two.open(work))[Symbol.asyncDispose]();
    const signal = AbortSignal.abort("stopped");
    const { folder, blobs } = two;
    await expect(openWork(work, { folder, blobs, directories: [], signal })).rejects.toThrow(WorkFailed);
  });

  test("the same files give the same work, so a second submission is the same job", async () => {
    using two = new Two();
    two.write("a.txt", "changed\n");
    const first = await two.packed();
    expect((await two.packed()).commit).toBe(first.commit);
    // Its date is that of the commit below, not of the moment.
    expect(two.git("show", "-s", "--format=%cI", first.commit)).toBe(
      two.git("show", "-s", "--format=%cI", "HEAD"),
    );
  });

  test("a task in a directory of the repository works there", async () => {
    using two = new Two();
    const work = await two.packed(join(two.repository, "src/deep"));
    expect(work.below).toBe("src/deep");
    await using open = await two.open(work);
    expect(open.directory).toEndWith("/src/deep");
    expect(readFileSync(join(open.directory, "b.txt"), "utf8")).toBe("two\n");
  });

  test("what a task changes becomes a branch here, on top of what it got", async () => {
    using two = new Two();
    two.write("a.txt", "changed here\n");
    const work = await two.packed();
    let changes: Changes | undefined;
    {
      await using open = await two.open(work);
      writeFileSync(join(open.directory, "a.txt"), "changed there\n");
      writeFileSync(join(open.directory, "new.txt"), "new\n");
      rmSync(join(open.directory, "src/deep/b.txt"));
      mkdirSync(join(open.directory, "ignored"));
      writeFileSync(join(open.directory, "ignored/x"), "x");
      changes = await open.changes(how);
    }
    if (!changes) throw new Error("There are no changes");
    expect(changes.files).toBe(3);
    const before = two.git("status", "--porcelain");
    const packs = () => readdirSync(join(two.repository, ".git/objects/pack"));
    expect(await two.take(changes)).toEqual({ ok: true, branch: "b4k2/1" });
    expect(two.git("status", "--porcelain")).toBe(before);
    // A pack for each task would slow down all that Git does.
    expect(packs()).toEqual([]);
    expect(two.git("diff", "--name-status", work.commit, "b4k2/1")).toBe(
      "M\ta.txt\nA\tnew.txt\nD\tsrc/deep/b.txt",
    );
    expect(two.git("log", "-1", "--format=%s%n%P", "b4k2/1")).toBe(`Task 1\n${work.commit}`);
    expect(await two.take(changes)).toEqual({ ok: true, branch: "b4k2/1" });
  });

  test("commits that the session made are in the result as well", async () => {
    using two = new Two();
    const work = await two.packed();
    await using open = await two.open(work);
    writeFileSync(join(open.directory, "a.txt"), "committed there\n");
    two.run(open.directory, "commit", "-q", "-a", "-m", "by the session");
    const changes = await open.changes(how);
    expect(changes?.files).toBe(1);
    if (changes) await two.take(changes);
    expect(two.git("show", "b4k2/1:a.txt")).toBe("committed there");
  });

  test("a branch of the same name with other contents is left alone", async () => {
    using two = new Two();
    two.git("branch", "b4k2/1");
    const work = await two.packed();
    await using open = await two.open(work);
    writeFileSync(join(open.directory, "a.txt"), "x\n");
    const changes = await open.changes(how);
    if (!changes) throw new Error("There are no changes");
    expect(await two.take(changes)).toEqual({ ok: true, branch: "b4k2/1-2" });
    expect(two.git("rev-parse", "b4k2/1")).toBe(work.head);
  });

  test("one clone serves all tasks, also those that begin at once, and is fetched again when needed", async () => {
    using two = new Two();
    const work = await two.packed();
    const opened = await Promise.all([1, 2, 3, 4].map(() => two.open(work)));
    expect(new Set(opened.map(({ directory }) => directory)).size).toBe(4);
    two.write("later.txt", "later\n");
    two.git("add", "-A");
    two.git("commit", "-q", "-m", "later");
    two.git("push", "-q");
    await using later = await two.open(await two.packed());
    expect(existsSync(join(later.directory, "later.txt"))).toBe(true);
    expect(readdirSync(join(two.folder, "mirrors"))).toHaveLength(1);
    for (const one of opened) await one[Symbol.asyncDispose]();
    await later[Symbol.asyncDispose]();
    const [own = ""] = readdirSync(join(two.folder, "tasks"));
    expect(readdirSync(join(two.folder, "tasks", own))).toEqual(["owner.json"]);
  });

  test("a branch that is gone is not in the way of one below its name", async () => {
    using two = new Two();
    two.git("push", "-q", "origin", "main:a");
    await using _first = await two.open(await two.packed());
    two.git("push", "-q", "origin", ":a");
    two.write("a.txt", "three\n");
    two.git("commit", "-q", "-a", "-m", "second");
    two.git("push", "-q", "origin", "main", "main:a/b");
    await using second = await two.open(await two.packed());
    expect(readFileSync(join(second.directory, "a.txt"), "utf8")).toBe("three\n");
    const [mirror = ""] = readdirSync(join(two.folder, "mirrors"));
    const branches = two.run(
      join(two.folder, "mirrors", mirror),
      "for-each-ref",
      "--format=%(refname)",
      "refs/heads",
    );
    expect(branches.split("\n")).toEqual(["refs/heads/a/b", "refs/heads/main"]);
  });

  test("what a session does to its repository runs nothing when its changes are read, and reaches no other task", async () => {
    using two = new Two();
    const work = await two.packed();
    await using open = await two.open(work);
    const trace = join(two.path, "trace");
    const program = join(two.path, "evil.sh");
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${trace}\ncat\n`);
    chmodSync(program, 0o755);
    for (const [name, value] of [
      ["core.fsmonitor", program],
      ["core.hooksPath", two.path],
      ["filter.x.clean", program],
      ["filter.x.process", program],
      ["diff.external", program],
      ["core.sshCommand", program],
    ] as const)
      two.run(open.directory, "config", name, value);
    writeFileSync(join(open.directory, ".gitattributes"), "* filter=x\n");
    writeFileSync(join(open.directory, ".git/hooks-not"), "");
    mkdirSync(join(open.directory, ".git/hooks"), { recursive: true });
    for (const hook of ["post-checkout", "reference-transaction", "pre-commit"]) {
      writeFileSync(join(open.directory, ".git/hooks", hook), `#!/bin/sh\necho hook >> ${trace}\n`);
      chmodSync(join(open.directory, ".git/hooks", hook), 0o755);
    }
    expect(await open.changes(how)).toMatchObject({ files: 1 });
    expect(existsSync(trace)).toBe(false);
    await using other = await two.open(work);
    expect(filesOf(other.directory)).toEqual(filesOf(two.repository));
    expect(existsSync(trace)).toBe(false);
  });

  test("a commit that the remote does not have is refused for good, and a remote that is away for now", async () => {
    using two = new Two();
    const work = await two.packed();
    const missing = two.open({ ...work, commit: "b".repeat(40) });
    await expect(missing).rejects.toThrow(`does not have the commit ${"b".repeat(40)}`);
    await expect(missing).rejects.toMatchObject({ isTemporary: false });
    const away = two.open({ ...work, url: join(two.path, "nothing.git") });
    await expect(away).rejects.toThrow(/cannot be had: .*nothing\.git/);
    await expect(away).rejects.toMatchObject({ isTemporary: true });
    await expect(two.open({ ...work, below: "nowhere" })).rejects.toThrow(
      "The commit has no directory nowhere.",
    );
    const [own = ""] = readdirSync(join(two.folder, "tasks"));
    expect(readdirSync(join(two.folder, "tasks", own))).toEqual(["owner.json"]);
  });

  test("a directory of the commit that is a link out of it is refused", async () => {
    using two = new Two();
    symlinkSync("/etc", join(two.repository, "out"));
    const work = await two.packed();
    await expect(two.open({ ...work, below: "out" })).rejects.toThrow(WorkFailed);
  });

  test("a bundle that is damaged or not there fails, and leaves no half clone", async () => {
    using two = new Two();
    two.write("a.txt", "changed\n");
    const work = await two.packed();
    if (!work.bundle) throw new Error("There is no bundle");
    await two.blobs.remove(work.bundle.name);
    await expect(two.open(work)).rejects.toThrow("it does not exist");
    await two.blobs.put(work.bundle.name, new TextEncoder().encode("no bundle"));
    await expect(two.open(work)).rejects.toThrow(WorkFailed);
    await using open = await two.open(await two.packed());
    expect(readFileSync(join(open.directory, "a.txt"), "utf8")).toBe("changed\n");
  });

  test("packing runs no program of the repository, and refuses filters that cannot be turned off", async () => {
    using two = new Two();
    const trace = join(two.path, "trace");
    const program = join(two.path, "traced.sh");
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${trace}\ncat\n`);
    chmodSync(program, 0o755);
    for (const name of ["filter.x.clean", "filter.x.smudge", "core.fsmonitor"])
      two.git("config", name, program);
    two.write(".gitattributes", "* filter=x\n");
    two.write("a.txt", "changed\n");
    const work = await two.packed();
    await using open = await two.open(work);
    expect(readFileSync(join(open.directory, "a.txt"), "utf8")).toBe("changed\n");
    expect(existsSync(trace)).toBe(false);
    // A repository from which this one borrows has references, which Git would ask a program for.
    writeFileSync(join(two.repository, ".git/objects/info/alternates"), `${two.remote}/objects\n`);
    two.git("config", "core.alternateRefsCommand", program);
    writeFileSync(join(open.directory, "a.txt"), "changed there\n");
    const changes = await open.changes(how);
    if (!changes) throw new Error("There are no changes");
    expect(await two.take(changes)).toEqual({ ok: true, branch: "b4k2/1" });
    expect(existsSync(trace)).toBe(false);
    two.git("config", "filter.a=b.clean", program);
    await expect(two.packed()).rejects.toThrow("odd name");
    expect(await whyNotPacked(two.repository, [])).toBe(undefined);
    expect(existsSync(trace)).toBe(false);
  });

  test("files that changed within the second in which the index was written are sent as they are", async () => {
    using two = new Two();
    const at = new Date(1_700_000_000_000);
    utimesSync(join(two.repository, "a.txt"), at, at);
    two.git("add", "-A");
    utimesSync(join(two.repository, ".git/index"), at, at);
    // As long as before.
    two.write("a.txt", "two\n");
    utimesSync(join(two.repository, "a.txt"), at, at);
    await using open = await two.open(await two.packed());
    expect(readFileSync(join(open.directory, "a.txt"), "utf8")).toBe("two\n");
  });

  test("a bundle is in a new folder, which nobody else can enter, while it is made", async () => {
    using two = new Two();
    two.write("a.txt", "changed\n");
    const folders: string[] = [];
    const watched: Pick<BlobStore, "put"> = {
      put: async (name, contents) => {
        if (!("file" in contents)) throw new Error("It is no file");
        const folder = join(contents.file, "..");
        expect(statSync(folder).mode & 0o777).toBe(0o700);
        expect(readdirSync(folder)).toContain("work.bundle");
        folders.push(folder);
        return await two.blobs.put(name, contents);
      },
    };
    for (const name of ["x", "y"]) await packWork(two.repository, { shared: [], blobs: watched, name });
    expect(new Set(folders).size).toBe(2);
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  });

  test("a shallow clone is sent like any other", async () => {
    using two = new Two();
    two.write("a.txt", "second\n");
    two.git("commit", "-q", "-a", "-m", "second");
    two.git("push", "-q");
    const clone = join(two.path, "clone");
    two.run(two.path, "clone", "-q", "--depth=1", `file://${two.remote}`, clone);
    two.run(clone, "remote", "set-url", "origin", two.remote);
    expect((await two.packed(clone)).bundle).toBe(undefined);
    writeFileSync(join(clone, "a.txt"), "third\n");
    two.run(clone, "commit", "-q", "-a", "-m", "third");
    writeFileSync(join(clone, "new.txt"), "not committed\n");
    await using open = await two.open(await two.packed(clone));
    expect(readFileSync(join(open.directory, "a.txt"), "utf8")).toBe("third\n");
    expect(two.run(open.directory, "log", "--format=%s", "HEAD~1")).toBe("third\nsecond\nfirst");
    writeFileSync(join(open.directory, "new.txt"), "changed\n");
    const changes = await open.changes(how);
    if (!changes) throw new Error("There are no changes");
    const taken = await takeChanges(changes, { directory: clone, branch: "b4k2/1", blobs: two.blobs });
    expect(taken).toEqual({ ok: true, branch: "b4k2/1" });
    expect(two.run(clone, "show", "b4k2/1:new.txt")).toBe("changed");
  });

  test("the commit of uncommitted files is kept until it is released", async () => {
    using two = new Two();
    two.write("a.txt", "changed\n");
    const { commit } = await two.packed();
    await packWork(two.repository, { shared: [], blobs: two.blobs, name: "c5m3" });
    const kept = () => two.git("for-each-ref", "--format=%(refname)", ownRefs).split("\n");
    expect(kept()).toEqual([`${ownRefs}/b4k2/work/${commit}`, `${ownRefs}/c5m3/${commit}`]);
    await releaseWork([two.repository, join(two.repository, "src")], "b4k2/work");
    // Another batch may still wait for changes to the same files.
    expect(kept()).toEqual([`${ownRefs}/c5m3/${commit}`]);
  });

  test("what a killed worker left is removed, and what a living one uses is not", async () => {
    using two = new Two();
    await using open = await two.open({ kind: "empty" });
    const left = join(two.folder, "tasks", "left");
    mkdirSync(left);
    const dead = { ...ownIdentity(), pid: 4_194_305 };
    writeFileSync(join(left, "owner.json"), JSON.stringify(dead));
    await removeLeftWork(two.folder);
    expect(existsSync(left)).toBe(false);
    // Beside the mirrors there is nothing that such a worker could leave.
    await (await two.open(await two.packed()))[Symbol.asyncDispose]();
    expect(readdirSync(join(two.folder, "mirrors")).every((name) => name.endsWith(".git"))).toBe(true);
    expect(existsSync(open.directory)).toBe(true);
  });
});

testNeeding("git", "a disk to mount")(
  "a disk without room for the files of a task is left alone",
  async () => {
    using two = new Two();
    const work = await two.packed();
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=60m,mode=700", "tmpfs", two.folder]);
    try {
      const refused = two.open(work);
      await expect(refused).rejects.toThrow(/No space left on the disk of .*: \d+ MB are free/);
      // It says nothing about the task, which another worker may run.
      await expect(refused).rejects.toMatchObject({ isOutage: true });
    } finally {
      Bun.spawnSync(["umount", "-l", two.folder]);
    }
  },
);

describeNeeding("git", "a system other than Windows")("a directory", () => {
  async function why(path: string, shared: string[] = []): Promise<string | undefined> {
    return await whyNotPacked(path, shared);
  }

  test("of a repository with a remote can be sent", async () => {
    using two = new Two();
    expect(await why(two.repository)).toBe(undefined);
    expect(await why(join(two.repository, "src"))).toBe(undefined);
  });

  test("whose remote has a token in its address is sent without that", async () => {
    using two = new Two();
    for (const token of ["token@", "x-access-token:token@", ""]) {
      two.git("remote", "set-url", "origin", `https://${token}example.com/x.git`);
      expect((await two.packed()).url).toBe("https://example.com/x.git");
    }
  });

  test("that is empty is an empty one there", async () => {
    using two = new Two();
    const empty = join(two.path, "empty");
    mkdirSync(empty);
    expect(await packWork(empty, { shared: [], blobs: two.blobs, name: "x" })).toEqual({
      ok: true,
      work: { kind: "empty" },
    });
    await using open = await two.open({ kind: "empty" });
    expect(readdirSync(open.directory)).toEqual([]);
    expect(await open.changes(how)).toBe(undefined);
  });

  test("that is shared is worked in where it is", async () => {
    using two = new Two();
    const work = { kind: "shared" as const, path: join(two.repository, "src") };
    expect(await packWork(work.path, { shared: [two.repository], blobs: two.blobs, name: "x" })).toEqual({
      ok: true,
      work,
    });
    const worker = { folder: two.folder, blobs: two.blobs, directories: [two.repository] };
    await using open = await openWork(work, worker);
    expect(open.directory).toBe(work.path);
    expect(await open.changes(how)).toBe(undefined);
    symlinkSync("/etc", join(two.repository, "out"));
    const out = openWork({ kind: "shared", path: join(two.repository, "out") }, worker);
    await expect(out).rejects.toThrow("outside the shared directories");
    const missing = openWork({ kind: "shared", path: join(two.repository, "no") }, worker);
    await expect(missing).rejects.toThrow("does not exist on this worker");
  });

  test("that has no repository, commit, remote or usable address says so", async () => {
    using two = new Two();
    const plain = join(two.path, "plain");
    mkdirSync(plain);
    writeFileSync(join(plain, "x"), "x");
    expect(await why(plain)).toContain("is neither in a Git repository");
    two.run(plain, "init", "-q");
    expect(await why(plain)).toContain("without a commit");
    two.run(plain, "add", "-A");
    two.run(plain, "commit", "-q", "-m", "x");
    expect(await why(plain)).toContain("without a remote");
    two.run(plain, "remote", "add", "origin", "ssh://me:secret@example.com/x.git");
    expect(await why(plain)).toContain("whose address contains a password");
    expect(await why(plain)).not.toContain("secret");
    two.run(plain, "remote", "set-url", "origin", "../remote.git");
    expect(await why(plain)).toContain("must begin with https://");
  });
});
