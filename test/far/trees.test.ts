// Working trees on a far machine: with git, and without a connection.
import { expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { NotNow } from "../../src/engine/attempt/workspace.ts";
import { FarTrees } from "../../src/engine/hosts/far-trees.ts";
import { type TreeHost, Trees } from "../../src/engine/hosts/trees.ts";
import { bundlePieceBytes } from "../../src/far/messages.ts";
import { bundleFor, snapshotOf, whyNotSent } from "../../src/far/snapshot.ts";
import { ownRefs } from "../../src/git/bundle.ts";
import { testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";
import { farMachine, gitIn, home, machineFor, never } from "./trees-inside.ts";

const withGit = testNeeding("git", "Linux");

/** A program that leaves a trace when it is run, and passes on what it gets. */
function tracing(inside: Inside) {
  const trace = inside.file("trace");
  const program = inside.script("traced", `echo "$0 $*" >> '${trace}'\ncat`);
  return { program, traces: () => (existsSync(trace) ? readFileSync(trace, "utf8") : "") };
}

/** Takes what a remark says has come home: the patch, in a directory that is in no repository. */
function apply(remark: string | undefined): void {
  const [, root = "", patch = ""] = /`git -C (\S+) apply (\S+)`/.exec(remark ?? "") ?? [];
  const { success, stderr } = Bun.spawnSync(["git", "apply", patch], { cwd: root });
  if (!success) throw new Error(`${remark}: ${stderr}`);
}

withGit("a session's changes are read without what it has configured in its working tree", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const tree = pathOf(prepared.directory);
  const ran = inside.file("ran");
  rmSync(join(tree, ".git"), { recursive: true });
  Bun.spawnSync(["git", "init", "--quiet"], { cwd: tree });
  writeFileSync(join(tree, ".git", "config"), `[filter "own"]\n\tclean = touch ${ran}\n`);
  writeFileSync(join(tree, ".gitattributes"), "* filter=own\n");
  writeFileSync(join(tree, "two.txt"), "two\n");
  expect(await prepared.collect?.(never)).toContain("Its changes to 2 files are in the branch bcdfghjk/1.");
  expect(existsSync(ran)).toBe(false);
});

withGit("a repository that was pruned meanwhile is sent again", async () => {
  using inside = new Inside();
  const { host, trees, folder, there, pathOf } = machineFor(inside);
  const first = await trees.prepare(host, inside.work, home);
  await first[Symbol.asyncDispose]();
  await there.prune(() => true);
  expect(readdirSync(folder)).toEqual([]);
  const second = await trees.prepare(host, inside.work, home);
  expect(readFileSync(join(pathOf(second.directory), "one.txt"), "utf8")).toBe("one\n");
});

withGit("what is too much to come back stays on its machine, and nobody reads it", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const data = join(pathOf(prepared.directory), "data.bin");
  // It has a length, and takes no room.
  writeFileSync(data, "");
  truncateSync(data, 1_000_000_000);
  expect(await prepared.collect?.(never)).toMatch(
    /could not be fetched from box1:.*the longest is data\.bin/,
  );
  await prepared[Symbol.asyncDispose]();
  expect(existsSync(data)).toBe(true);
});

withGit(
  "files that have grown too long are not read to know that, unless a filter makes them so",
  async () => {
    using inside = new Inside();
    const { host, trees, pathOf } = machineFor(inside);
    const prepared = await trees.prepare(host, inside.work, home);
    const tree = pathOf(prepared.directory);
    truncateSync(join(tree, "one.txt"), 1_000_000_000);
    const ran = inside.file("ran");
    inside.script("bin/git", `echo " $* " >> '${ran}'`, `exec '${Bun.which("git")}' "$@"`);
    process.env["PATH"] = `${inside.file("bin")}:${process.env["PATH"]}`;
    expect(await prepared.collect?.(never)).toMatch(
      /could not be fetched from box1:.*: 1000 MB would have to be sent, more than 268 MB/,
    );
    expect(readFileSync(ran, "utf8")).toContain(" ls-tree ");
    expect(readFileSync(ran, "utf8")).not.toContain(" add ");
    // As Git LFS, whose user has it on that machine.
    writeFileSync(inside.file(".gitconfig"), '[filter "short"]\n\tclean = echo one\n');
    writeFileSync(join(tree, ".gitattributes"), "one.txt filter=short\n");
    expect(await prepared.collect?.(never)).toBe("Its changes to 1 file are in the branch bcdfghjk/1.");
  },
);

withGit(
  "a check-out that nobody wants any more is not made, and another one does not wait for it",
  async () => {
    using inside = new Inside();
    const { there, host, trees, pathOf } = machineFor(inside);
    const prepared = await trees.prepare(host, inside.work, home);
    const { name: repository, commit } = await snapshotOf(inside.work, inside.file("batch"));
    const none = new Uint8Array(0);
    const batch = "abcd2345";
    const unwanted = there.act(batch, { do: "check-out", repository, commit, name: "unwanted" }, none);
    const dropped = there.act(batch, { do: "drop", name: "unwanted" }, none);
    const wanted = there.act(batch, { do: "check-out", repository, commit, name: "wanted" }, none);
    expect((await unwanted).answer.problem).toBe("it is not wanted any more");
    expect((await dropped).answer).toEqual({});
    const folder = join(pathOf(prepared.directory), "..");
    expect((await wanted).answer.directory).toBe(join(folder, "wanted"));
    expect(readdirSync(folder)).not.toContain("unwanted");
  },
);

withGit("the folder of a batch stays while its next working tree is about to be made in it", async () => {
  using inside = new Inside();
  const { there, host, trees, folder, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const [first = "", repository = ""] = [
    basename(pathOf(prepared.directory)),
    readdirSync(join(folder, "repositories"))[0]?.replace(/\.git$/, ""),
  ];
  // Of another time and text than in any other test: how long its files are is not known yet.
  writeFileSync(join(inside.work, "two.txt"), crypto.randomUUID());
  gitIn(inside.work, "add", "--all");
  gitIn(inside.work, "commit", "--quiet", "-m", "second");
  const commit = gitIn(inside.work, "rev-parse", "HEAD");
  gitIn(join(folder, "repositories", `${repository}.git`), "fetch", "--quiet", inside.work, "HEAD");
  const [asked, go] = [inside.file("asked"), inside.file("go")];
  const own = Bun.which("git") ?? "";
  inside.script(
    "bin/git",
    `case " $* " in *" ls-tree "*) : > '${asked}'; while [ ! -e '${go}' ]; do sleep 0.02; done;; esac`,
    `exec '${own}' "$@"`,
  );
  const none = new Uint8Array(0);
  const batch = "abcd2345";
  const second = there.act(batch, { do: "check-out", repository, commit, name: "second" }, none);
  await eventually(
    () => existsSync(asked),
    () => "nobody asks how long its files are",
  );
  expect((await there.act(batch, { do: "drop", name: first }, none)).answer).toEqual({});
  writeFileSync(go, "");
  expect((await second).answer).toEqual({ directory: join(folder, batch, "trees", "second") });
  // With the last one, it goes.
  await there.act(batch, { do: "drop", name: "second" }, none);
  expect(readdirSync(folder)).toEqual(["repositories"]);
});

withGit("a part of a bundle is removed with the runner that sent it, or by the next keeper", async () => {
  using inside = new Inside();
  const { there, folder } = machineFor(inside);
  const action = { do: "receive", repository: "a".repeat(40), piece: 0, isLast: false } as const;
  const parts = () => readdirSync(join(folder, "repositories"));
  for (const batch of ["one", "two"]) await there.act(batch, action, new Uint8Array(bundlePieceBytes));
  expect(parts()).toHaveLength(2);
  await there.keepOnly("one", []);
  expect(parts()).toEqual([`${"a".repeat(40)}.git.two.bundle`]);
  new FarTrees(folder).removeParts();
  expect(parts()).toEqual([]);
});

withGit("repositories stay while a working tree of a batch that goes on is left", async () => {
  using inside = new Inside();
  const { host, trees, there, folder, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  await there.prune(() => false);
  expect(existsSync(join(folder, "repositories"))).toBe(true);
  expect(existsSync(pathOf(prepared.directory))).toBe(true);
  await there.keepOnly("abcd2345", [...trees.namesOn("box1")]);
  expect(existsSync(pathOf(prepared.directory))).toBe(true);
  await there.keepOnly("abcd2345", []);
  expect(existsSync(pathOf(prepared.directory))).toBe(false);
});

withGit(
  "pieces of a bundle that do not follow one another are asked for anew, and batches do not mix theirs",
  async () => {
    using inside = new Inside();
    const { there } = machineFor(inside);
    const repository = "a".repeat(40);
    const receive = (batch: string, piece: number, length = bundlePieceBytes) =>
      there.act(batch, { do: "receive", repository, piece, isLast: false }, new Uint8Array(length));
    expect(await receive("one", 0)).toEqual({ answer: {} });
    expect(await receive("two", 0)).toEqual({ answer: {} });
    expect(await receive("one", 1)).toEqual({ answer: {} });
    expect(await receive("two", 2)).toMatchObject({ answer: { isInterrupted: true } });
  },
);

withGit(
  "a machine that is away, or has no room, keeps its task queued; any other fault is the task's own",
  async () => {
    using inside = new Inside();
    const { host, trees } = machineFor(inside);
    const saying = (answer: object): TreeHost => ({
      ...host,
      tree: async () => ({ body: new Uint8Array(0), ...answer }),
    });
    const why = (answer: object) =>
      trees.prepare(saying(answer), inside.work, home).catch((error: unknown) => error);
    expect(await why({ problem: "away", away: "waited-for" })).toBeInstanceOf(NotNow);
    expect(await why({ problem: "No space left on device", isPassing: true })).toBeInstanceOf(NotNow);
    expect(await why({ problem: "no such commit" })).not.toBeInstanceOf(NotNow);
  },
);

withGit(
  "what cannot be fetched stays where it is, and the remark says where; what is here already becomes the same branch",
  async () => {
    using inside = new Inside();
    const { host, trees, pathOf } = machineFor(inside);
    const prepared = await trees.prepare(host, inside.work, home);
    const tree = pathOf(prepared.directory);
    writeFileSync(join(tree, "two.txt"), "two\n");
    const away: TreeHost = {
      ...host,
      tree: async () => ({ body: new Uint8Array(0), problem: "away", away: "given-up" }),
    };
    const cutOff = trees.adopt(away, tree, inside.work, home);
    expect(await cutOff?.collect?.(never)).toBe(
      `What it changed could not be fetched from ${prepared.directory}: away`,
    );
    await cutOff?.[Symbol.asyncDispose]();
    expect(existsSync(tree)).toBe(true);
    const said = await prepared.collect?.(never);
    expect(said).toBe("Its changes to 1 file are in the branch bcdfghjk/1.");
    // The runner that follows one that died here.
    await prepared[Symbol.asyncDispose]();
    expect(await trees.adopt(host, tree, inside.work, home)?.collect?.(never)).toBe(said);
    gitIn(inside.work, "branch", "-D", "bcdfghjk/1");
    expect(await trees.adopt(host, tree, inside.work, home)?.collect?.(never)).toBe(said);
  },
);

withGit("a bundle is sent again when the connection ended, whatever the words for that are", async () => {
  using inside = new Inside();
  const { host, trees } = machineFor(inside);
  let isFirst = true;
  const cutOff: TreeHost = {
    ...host,
    tree: async (action, body) => {
      if (action.do !== "receive" || !isFirst) return await host.tree(action, body);
      isFirst = false;
      return { problem: "gone", isInterrupted: true, body: new Uint8Array(0) };
    },
  };
  expect(await trees.prepare(cutOff, inside.work, home)).toBeDefined();
  const named: TreeHost = {
    ...host,
    tree: async () => ({ problem: "the connection ended", body: new Uint8Array(0) }),
  };
  const other = new Trees(inside.file("batch"));
  await expect(other.prepare(named, inside.work, home)).rejects.toThrow("the connection ended");
});

withGit("what a session configures in its repository runs nothing when its changes are read", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  const { program, traces } = tracing(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const tree = pathOf(prepared.directory);
  for (const name of ["filter.own.clean", "filter.own.process", "core.fsmonitor", "diff.external"])
    gitIn(tree, "config", name, program);
  writeFileSync(join(tree, ".gitattributes"), "* filter=own\n");
  writeFileSync(join(tree, "two.txt"), "two\n");
  expect(await prepared.collect?.(never)).toContain("Its changes to 2 files are in the branch bcdfghjk/1.");
  expect(traces()).toBe("");
  // Nor for the task that comes after it.
  const next = await trees.prepare(host, inside.work, home);
  writeFileSync(join(pathOf(next.directory), ".gitattributes"), "* filter=own\n");
  expect(await next.collect?.(never)).toContain("Its changes to 1 file are in the branch bcdfghjk/1-2.");
  expect(traces()).toBe("");
});

withGit("a submodule that a session fills in runs nothing when its changes are read", async () => {
  using inside = new Inside();
  const inner = inside.file("inner");
  mkdirSync(inner);
  gitIn(inner, "init", "--quiet");
  writeFileSync(join(inner, "a.txt"), "a\n");
  writeFileSync(join(inner, ".gitattributes"), "* filter=own\n");
  gitIn(inner, "add", "--all");
  gitIn(inner, "commit", "--quiet", "-m", "inner");
  const { host, trees, pathOf } = machineFor(inside);
  gitIn(inside.work, "submodule", "--quiet", "add", inner, "sub");
  gitIn(inside.work, "commit", "--quiet", "-m", "with a submodule");
  const { program, traces } = tracing(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const tree = pathOf(prepared.directory);
  const submodules = [join(tree, "sub"), join(inside.work, "sub")];
  rmSync(join(tree, "sub"), { recursive: true });
  gitIn(tree, "clone", "--quiet", inner, "sub");
  for (const submodule of submodules) {
    gitIn(submodule, "config", "filter.own.clean", program);
    // As if it had changed, so that it must be read.
    utimesSync(join(submodule, "a.txt"), new Date(0), new Date(0));
  }
  writeFileSync(join(tree, "two.txt"), "two\n");
  expect(await prepared.collect?.(never)).toContain("Its changes to 1 file are in");
  await snapshotOf(inside.work, inside.file("batch"));
  expect(traces()).toBe("");
});

withGit("two tasks may make the same branch, and neither sees the other's commits", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  const [one, other] = [
    await trees.prepare(host, inside.work, home),
    await trees.prepare(host, inside.work, home),
  ];
  for (const { directory } of [one, other]) {
    gitIn(pathOf(directory), "checkout", "--quiet", "-b", "fix");
    writeFileSync(join(pathOf(directory), `${crypto.randomUUID()}.txt`), "");
    gitIn(pathOf(directory), "add", "--all");
    gitIn(pathOf(directory), "commit", "--quiet", "-m", "fix");
    expect(gitIn(pathOf(directory), "log", "--format=%s")).toBe("fix\nfirst");
    expect(gitIn(pathOf(directory), "remote")).toBe("");
  }
  expect(await other.collect?.(never)).toContain("Its changes to 1 file are in");
});

withGit(
  "a snapshot runs no program of the repository, and refuses filters that cannot be turned off",
  async () => {
    using inside = new Inside();
    machineFor(inside);
    const { program, traces } = tracing(inside);
    const bin = join(inside.work, "git");
    writeFileSync(bin, `#!/bin/sh\nexec ${program}\n`);
    chmodSync(bin, 0o755);
    const path = process.env["PATH"];
    process.env["PATH"] = `.:${path}`;
    for (const name of ["filter.own.clean", "filter.own.smudge", "core.fsmonitor"])
      gitIn(inside.file("."), "-C", "work", "config", name, program);
    writeFileSync(join(inside.work, ".gitattributes"), "* filter=own\n");
    const { commit } = await snapshotOf(inside.work, inside.file("batch"));
    expect(traces()).toBe("");
    process.env["PATH"] = path;
    expect(gitIn(inside.work, "ls-tree", "--name-only", commit).split("\n")).toEqual([
      ".gitattributes",
      "git",
      "one.txt",
    ]);
    gitIn(inside.work, "config", "filter.a=b.clean", program);
    await expect(snapshotOf(inside.work, inside.file("batch"))).rejects.toThrow('odd name "a=b"');
  },
);

/** Makes HEAD a commit that says it is signed, on top of one that is missing. */
function signed(directory: string): void {
  const before = gitIn(directory, "rev-parse", "HEAD");
  const by = "me <me@localhost> 1700000000 +0000";
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n eA==\n -----END PGP SIGNATURE-----";
  const tree = gitIn(directory, "rev-parse", "HEAD^{tree}");
  const text = `tree ${tree}\nparent ${before}\nauthor ${by}\ncommitter ${by}\n${signature}\n\nsigned\n`;
  const made = Bun.spawnSync(["git", "hash-object", "-t", "commit", "-w", "--stdin"], {
    cwd: directory,
    stdin: new TextEncoder().encode(text),
  });
  gitIn(directory, "update-ref", "HEAD", made.stdout.toString().trim());
}

withGit(
  "a snapshot checks no signatures by a program of the repository, and fetches nothing that it lacks",
  async () => {
    using inside = new Inside();
    machineFor(inside);
    const { program, traces } = tracing(inside);
    const first = gitIn(inside.work, "rev-parse", "HEAD");
    signed(inside.work);
    gitIn(inside.work, "config", "gpg.program", program);
    gitIn(inside.work, "config", "log.showSignature", "true");
    writeFileSync(join(inside.work, "two.txt"), "two\n");
    expect((await snapshotOf(inside.work, inside.file("batch"))).name).toBe(first);
    expect(traces()).toBe("");
    for (const [name, value] of Object.entries({
      "core.repositoryFormatVersion": "1",
      "extensions.partialClone": "origin",
      "remote.origin.promisor": "true",
      "remote.origin.url": inside.path,
      "remote.origin.uploadpack": program,
      "protocol.file.allow": "always",
    }))
      gitIn(inside.work, "config", name, value);
    rmSync(join(inside.work, ".git", "objects", first.slice(0, 2), first.slice(2)));
    await expect(snapshotOf(inside.work, inside.file("batch"))).rejects.toThrow("cannot be sent");
    expect(traces()).toBe("");
  },
);

withGit("the variables of a Git around us do not lead a snapshot elsewhere", async () => {
  using inside = new Inside();
  machineFor(inside);
  writeFileSync(join(inside.work, "two.txt"), "two\n");
  const batch = inside.file("batch");
  const expected = await snapshotOf(inside.work, batch);
  for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"])
    process.env[name] = inside.file("elsewhere");
  process.env["GIT_LITERAL_PATHSPECS"] = "1";
  // As within `git -c`.
  process.env["GIT_CONFIG_PARAMETERS"] = `'core.excludesFile=${inside.write("excluded", "two.txt\n")}'`;
  expect(await snapshotOf(inside.work, batch)).toEqual(expected);
  expect(existsSync(inside.file("elsewhere"))).toBe(false);
});

withGit("a repository that calls another directory its working tree sends nothing of that", async () => {
  using inside = new Inside();
  machineFor(inside);
  mkdirSync(inside.file("secret"));
  gitIn(inside.work, "config", "core.worktree", inside.file("secret"));
  expect(await whyNotSent(inside.work)).toContain("its configuration names another working tree");
  await expect(snapshotOf(inside.work, inside.file("batch"))).rejects.toThrow("names another working tree");
});

withGit(
  "files that changed within the second in which the index was written are sent as they are",
  async () => {
    using inside = new Inside();
    machineFor(inside);
    const at = new Date(1_700_000_000_000);
    const file = join(inside.work, "one.txt");
    utimesSync(file, at, at);
    gitIn(inside.work, "add", "--all");
    utimesSync(join(inside.work, ".git", "index"), at, at);
    // As long as before.
    writeFileSync(file, "two\n");
    utimesSync(file, at, at);
    const { commit } = await snapshotOf(inside.work, inside.file("batch"));
    expect(gitIn(inside.work, "show", `${commit}:one.txt`)).toBe("two");
  },
);

withGit("what is sent is readable for its user alone meanwhile, and no reference stays", async () => {
  using inside = new Inside();
  const { host, trees } = machineFor(inside);
  writeFileSync(join(inside.work, "two.txt"), "not committed\n");
  const seen = inside.file("seen");
  // Whatever Git makes a bundle of, its folder is looked at.
  const real = Bun.which("git");
  inside.script(
    "bin/git",
    `for word; do case $word in *.bundle) stat -c %a "$(dirname "$word")" >> '${seen}';; esac; done\nexec ${real} "$@"`,
  );
  process.env["PATH"] = `${inside.file("bin")}:${process.env["PATH"]}`;
  const before = process.umask(0);
  try {
    await trees.prepare(host, inside.work, home);
  } finally {
    process.umask(before);
  }
  const [sent, ...received] = readFileSync(seen, "utf8").trim().split("\n");
  expect(sent).toBe("700");
  expect(received).toEqual(["700"]);
  expect(gitIn(inside.work, "for-each-ref", ownRefs)).toBe("");
});

withGit("a commit that another batch keeps meanwhile stays kept when it was sent", async () => {
  using inside = new Inside();
  machineFor(inside);
  const snapshot = await snapshotOf(inside.work, inside.file("batch"));
  const kept = `${ownRefs}/${snapshot.commit}`;
  gitIn(inside.work, "update-ref", kept, snapshot.commit);
  const files = Array.from({ length: 3 }, (_, index) => inside.file(`${index}.bundle`));
  expect(await Promise.all(files.map((file) => bundleFor(snapshot, [], file)))).toEqual([true, true, true]);
  expect(gitIn(inside.work, "rev-parse", kept)).toBe(snapshot.commit);
});

/** A bundle with one commit, of a tree or text that Git itself would not make. */
function bundleOf(directory: string, object: { tree?: Uint8Array; date?: string }): Uint8Array<ArrayBuffer> {
  const made = (kind: string, input: Uint8Array) => {
    const words = ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"];
    return Bun.spawnSync(words, { cwd: directory, stdin: input }).stdout.toString().trim();
  };
  const tree = object.tree ? made("tree", object.tree) : gitIn(directory, "rev-parse", "HEAD^{tree}");
  const by = `me <me@localhost> ${object.date ?? "1700000000 +0000"}`;
  const text = `tree ${tree}\nauthor ${by}\ncommitter ${by}\n\nodd\n`;
  const commit = made("commit", new TextEncoder().encode(text));
  gitIn(directory, "update-ref", `${ownRefs}/${commit}`, commit);
  gitIn(directory, "bundle", "create", "--quiet", "odd.bundle", `${ownRefs}/${commit}`);
  return new Uint8Array(readFileSync(join(directory, "odd.bundle")));
}

withGit("objects that Git would not make are refused, unless old histories have them", async () => {
  using inside = new Inside();
  const { there } = machineFor(inside);
  const receive = (bundle: Uint8Array<ArrayBuffer>, repository: string) =>
    there.act("one", { do: "receive", repository, piece: 0, isLast: true }, bundle);
  const blob = gitIn(inside.work, "rev-parse", "HEAD:one.txt");
  const inGit = Buffer.concat([Buffer.from("100644 .git\0"), Buffer.from(blob, "hex")]);
  const odd = await receive(bundleOf(inside.work, { tree: inGit }), "a".repeat(40));
  expect(odd.answer.problem).toContain("hasDotgit");
  const old = await receive(bundleOf(inside.work, { date: "1300000000 +051800" }), "b".repeat(40));
  expect(old).toEqual({ answer: {} });
});

withGit("changes come home whatever the user of the machine wants to see of differences", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  writeFileSync(
    inside.file(".gitconfig"),
    "[diff]\n\tnoprefix = true\n\tcontext = 0\n\tmnemonicPrefix = true\n",
  );
  writeFileSync(join(pathOf(prepared.directory), "two.bin"), new Uint8Array([0, 1, 2, 255]));
  const remark = await prepared.collect?.(never);
  rmSync(inside.file(".gitconfig"));
  expect(remark).toBe("Its changes to 1 file are in the branch bcdfghjk/1.");
  gitIn(inside.work, "merge", "--quiet", "bcdfghjk/1");
  expect(readFileSync(join(inside.work, "two.bin"))).toEqual(Buffer.from([0, 1, 2, 255]));
});

withGit("others are served while a working tree is removed", async () => {
  using inside = new Inside();
  const { host, trees, there, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const tree = pathOf(prepared.directory);
  for (let number = 0; number < 500; number++) writeFileSync(join(tree, `${number}.txt`), "");
  const order: string[] = [];
  setImmediate(() => order.push("another"));
  const [name = ""] = trees.namesOn("box1");
  await there.act("abcd2345", { do: "drop", name }, new Uint8Array(0));
  order.push("removed");
  expect(order).toEqual(["another", "removed"]);
  expect(existsSync(tree)).toBe(false);
});

withGit("of a shallow or a partial clone the files are sent, without their history", async () => {
  using inside = new Inside();
  const { host, folder, pathOf } = machineFor(inside);
  writeFileSync(join(inside.work, "one.txt"), "two\n");
  gitIn(inside.work, "commit", "--quiet", "--all", "-m", "second");
  gitIn(inside.work, "config", "uploadpack.allowFilter", "true");
  for (const [name, how] of [
    ["shallow", "--depth=1"],
    ["partial", "--filter=blob:none"],
  ] as const) {
    const clone = inside.file(name);
    gitIn(inside.path, "clone", "--quiet", how, `file://${inside.work}`, clone);
    // Then nothing can be fetched that is missing.
    gitIn(clone, "remote", "set-url", "origin", inside.file("nowhere"));
    writeFileSync(join(clone, "new.txt"), "not committed\n");
    const trees = new Trees(inside.file("batch"));
    const prepared = await trees.prepare(host, clone, home);
    const tree = pathOf(prepared.directory);
    expect(readdirSync(tree).toSorted()).toEqual([".git", "new.txt", "one.txt"]);
    writeFileSync(join(tree, "one.txt"), "three\n");
    expect(await prepared.collect?.(never)).toBe("Its changes to 1 file are in the branch bcdfghjk/1.");
    expect(gitIn(clone, "show", "bcdfghjk/1:one.txt")).toBe("three");
    // On top of the history that is here.
    expect(gitIn(clone, "rev-parse", "bcdfghjk/1~2")).toBe(gitIn(clone, "rev-parse", "HEAD"));
    expect(gitIn(clone, "for-each-ref", ownRefs)).toBe("");
    await prepared[Symbol.asyncDispose]();
  }
  expect(existsSync(join(folder, "repositories"))).toBe(true);
});

withGit("a directory that is in no repository goes as it is, and its changes come back", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = farMachine(inside);
  writeFileSync(join(inside.work, ".gitignore"), "secret\n");
  writeFileSync(join(inside.work, "secret"), "secret\n");
  mkdirSync(join(inside.work, "part"));
  writeFileSync(join(inside.work, "part", "a.txt"), "a\n");
  symlinkSync("a.txt", join(inside.work, "part", "link"));
  expect(await whyNotSent(inside.work)).toBe(undefined);
  const prepared = await trees.prepare(host, inside.work, home);
  const tree = pathOf(prepared.directory);
  expect(readdirSync(tree).toSorted()).toEqual([".git", ".gitignore", "part"]);
  writeFileSync(join(tree, "part", "a.txt"), "changed\n");
  writeFileSync(join(tree, "b.txt"), "new\n");
  rmSync(join(tree, "part", "link"));
  const remark = await prepared.collect?.(never);
  expect(remark).toContain("It changed 3 files on box1.");
  expect(readFileSync(join(inside.work, "part", "a.txt"), "utf8")).toBe("a\n");
  apply(remark);
  expect(readFileSync(join(inside.work, "part", "a.txt"), "utf8")).toBe("changed\n");
  expect(readdirSync(inside.work).toSorted()).toEqual([".gitignore", "b.txt", "part", "secret"]);
  expect(readdirSync(join(inside.work, "part"))).toEqual(["a.txt"]);
  // What it becomes meanwhile is another commit of the same repository there.
  const later = await new Trees(inside.file("batch")).prepare(host, inside.work, home);
  expect(readdirSync(pathOf(later.directory)).toSorted()).toEqual([".git", ".gitignore", "b.txt", "part"]);
});

withGit("a directory in no repository is refused if it is too much, or has repositories in it", async () => {
  using inside = new Inside();
  expect(await whyNotSent("/")).toContain("contains your home directory");
  const large = join(inside.work, "large");
  mkdirSync(large);
  // A file with a hole takes no room.
  await Bun.file(join(large, "a.bin")).writer().end();
  Bun.spawnSync(["truncate", "-s", "101000000", "a.bin"], { cwd: large });
  expect(await whyNotSent(large)).toContain("is in no Git repository, and has more than 100 MB");
  writeFileSync(join(large, ".gitignore"), "*.bin\n");
  expect(await whyNotSent(large)).toBe(undefined);
  mkdirSync(join(large, "inner"));
  gitIn(join(large, "inner"), "init", "--quiet");
  expect(await whyNotSent(large)).toContain("contains the Git repository inner");
});

withGit("changes become a branch on top of what was sent, and nothing else here is different", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  mkdirSync(join(inside.work, "part"));
  writeFileSync(join(inside.work, "part", "two.txt"), "not committed\n");
  // Of its user's rules for patches, none applies.
  gitIn(inside.work, "config", "apply.whitespace", "error");
  const before = gitIn(inside.work, "status", "--porcelain");
  const prepared = await trees.prepare(host, join(inside.work, "part"), home);
  const there = pathOf(prepared.directory);
  expect(readdirSync(there)).toEqual(["two.txt"]);
  writeFileSync(join(there, "two.txt"), "changed  \n");
  rmSync(join(there, "..", "one.txt"));
  gitIn(there, "commit", "--quiet", "--all", "-m", "by the session");
  symlinkSync("two.txt", join(there, "link"));
  expect(await prepared.collect?.(never)).toBe("Its changes to 3 files are in the branch bcdfghjk/1.");
  expect(gitIn(inside.work, "status", "--porcelain")).toBe(before);
  expect(gitIn(inside.work, "log", "--format=%s", "bcdfghjk/1").split("\n")).toEqual([
    home.message,
    "Uncommitted changes",
    "first",
  ]);
  expect(gitIn(inside.work, "ls-tree", "-r", "--name-only", "bcdfghjk/1").split("\n")).toEqual([
    "part/link",
    "part/two.txt",
  ]);
  // What cannot become a branch is there as a patch, and the remark says why.
  rmSync(join(inside.work, ".git", "objects"), { recursive: true });
  expect(await prepared.collect?.(never)).toMatch(
    /^It changed 3 files on box1\. The changes could not be put into .* apply /,
  );
});

withGit(
  "linked working trees, submodules and repositories with longer names go there and come back too",
  async () => {
    using inside = new Inside();
    const { host, trees, pathOf } = machineFor(inside);
    const linked = inside.file("linked");
    gitIn(inside.work, "worktree", "add", "--quiet", "-b", "other", linked);
    const longer = inside.file("longer");
    gitIn(inside.path, "init", "--quiet", "--object-format=sha256", longer);
    writeFileSync(join(longer, "one.txt"), "one\n");
    gitIn(longer, "add", "--all");
    gitIn(longer, "commit", "--quiet", "-m", "first");
    const outer = inside.file("outer");
    gitIn(inside.path, "init", "--quiet", outer);
    gitIn(outer, "submodule", "--quiet", "add", inside.work, "sub");
    for (const directory of [linked, longer, join(outer, "sub")]) {
      writeFileSync(join(directory, "two.txt"), "not committed\n");
      const prepared = await trees.prepare(host, directory, home);
      const tree = pathOf(prepared.directory);
      expect(readdirSync(tree).toSorted()).toEqual([".git", "one.txt", "two.txt"]);
      writeFileSync(join(tree, "two.txt"), "changed\n");
      expect(await prepared.collect?.(never)).toBe("Its changes to 1 file are in the branch bcdfghjk/1.");
      expect(gitIn(directory, "show", "bcdfghjk/1:two.txt")).toBe("changed");
      expect(gitIn(directory, "status", "--porcelain")).toBe("?? two.txt");
    }
  },
);

withGit("an empty directory goes there, and what is made in it comes back", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = farMachine(inside);
  const prepared = await trees.prepare(host, inside.work, home);
  const tree = pathOf(prepared.directory);
  expect(readdirSync(tree)).toEqual([".git"]);
  writeFileSync(join(tree, "made.txt"), "made\n");
  apply(await prepared.collect?.(never));
  expect(readFileSync(join(inside.work, "made.txt"), "utf8")).toBe("made\n");
});

withGit(
  "what a keeper that was killed left half is made anew, and what is half a bundle is not taken",
  async () => {
    using inside = new Inside();
    const { host, trees, there, folder, pathOf } = machineFor(inside);
    const prepared = await trees.prepare(host, inside.work, home);
    const tree = pathOf(prepared.directory);
    const [name = ""] = trees.namesOn("box1");
    const { name: repository, commit } = await snapshotOf(inside.work, inside.file("batch"));
    // As if it had been killed while it made the clone, and once more while it read the changes.
    rmSync(`${tree}.commit`);
    rmSync(join(tree, "one.txt"));
    mkdirSync(`${tree}.git`);
    const again = await there.act(
      "abcd2345",
      { do: "check-out", repository, commit, name },
      new Uint8Array(0),
    );
    expect(again).toEqual({ answer: { directory: tree } });
    expect(readFileSync(join(tree, "one.txt"), "utf8")).toBe("one\n");
    writeFileSync(join(tree, "two.txt"), "two\n");
    expect(await prepared.collect?.(never)).toContain("Its changes to 1 file are in");
    const half = await there.act(
      "abcd2345",
      { do: "receive", repository: "a".repeat(40), piece: 0, isLast: true },
      new TextEncoder().encode("# v2 git bundle\n"),
    );
    expect(half.answer.problem).toBe("it is no bundle");
    expect(readdirSync(join(folder, "repositories")).filter((one) => one.endsWith(".bundle"))).toEqual([]);
  },
);
