// A machine gets what has been pushed from the remote of a repository by itself, and only the rest from here.
import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NotNow } from "../../src/engine/attempt/workspace.ts";
import { type TreeHost, Trees } from "../../src/engine/hosts/trees.ts";
import type { TreeAction } from "../../src/far/messages.ts";
import { snapshotOf } from "../../src/far/snapshot.ts";
import { testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";
import { farMachine, gitIn, home, machineFor, never } from "./trees-inside.ts";

const withGit = testNeeding("git", "Linux");

/** A machine, and a repository here that was pushed to a server which both reach by an `ssh` of the test's own. */
function withServer(inside: Inside) {
  const machine = machineFor(inside);
  const remote = inside.file("remote.git");
  gitIn(inside.path, "init", "--quiet", "--bare", remote);
  const [asked, refuses, hangs] = [inside.file("asked"), inside.file("refuses"), inside.file("hangs")];
  const ssh = inside.script(
    "server/ssh",
    `for word; do :; done; echo "$word" >> '${asked}'`,
    `if [ -e '${refuses}' ]; then echo "me@server: Permission denied (publickey)." >&2; exit 255; fi`,
    `case $word in *upload-pack*) while [ -e '${hangs}' ]; do sleep 0.02; done;; esac`,
    'eval "$word"',
  );
  process.env["GIT_SSH_COMMAND"] = ssh;
  gitIn(inside.work, "remote", "add", "origin", `me@server:${remote}`);
  const user = (directory: string, ...words: string[]) =>
    gitIn(directory, "-c", `core.sshCommand=${ssh}`, ...words);
  user(inside.work, "push", "--quiet", "origin", "HEAD:main");
  const actions: TreeAction[] = [];
  let sentBytes = 0;
  const host: TreeHost = {
    ...machine.host,
    tree: (action, body, isCancelled) => {
      actions.push(action);
      sentBytes += action.do === "receive" ? (body?.length ?? 0) : 0;
      return machine.host.tree(action, body, isCancelled);
    },
  };
  writeFileSync(asked, "");
  return {
    ...machine,
    host,
    remote,
    /** Git as a user runs it who reaches the server. */
    user,
    /** What was asked since the last look: of the machine, of the server, and how many bytes of bundles went there. */
    since: () => {
      const seen = {
        actions: actions.splice(0).map((action) => action.do),
        asked: readFileSync(asked, "utf8").split("\n").filter(Boolean).length,
        bytes: sentBytes,
      };
      writeFileSync(asked, "");
      sentBytes = 0;
      return seen;
    },
    refuse: () => writeFileSync(refuses, ""),
    hang: () => writeFileSync(hangs, ""),
    asked: () => readFileSync(asked, "utf8"),
  };
}

withGit("what was pushed comes from the remote, and only what was not goes from here", async () => {
  using inside = new Inside();
  const { host, trees, since, folder, pathOf, user, remote } = withServer(inside);
  // Pushed, and too long for a bundle that has only the rest.
  writeFileSync(join(inside.work, "long.bin"), crypto.getRandomValues(new Uint8Array(60_000)));
  gitIn(inside.work, "add", "--all");
  gitIn(inside.work, "commit", "--quiet", "-m", "second");
  user(inside.work, "push", "--quiet", "origin", "HEAD:main");
  since();
  const pushed = await trees.prepare(host, inside.work, home);
  const first = since();
  expect(first).toMatchObject({ actions: ["fetch", "have", "check-out"], bytes: 0 });
  expect(first.asked).toBeGreaterThan(0);
  expect(readFileSync(join(pathOf(pushed.directory), "one.txt"), "utf8")).toBe("one\n");
  // The clone of a task is the same, wherever its files came from.
  expect(gitIn(pathOf(pushed.directory), "remote")).toBe("");
  // Committed and not pushed, and not committed at all.
  writeFileSync(join(inside.work, "two.txt"), "two\n");
  gitIn(inside.work, "add", "two.txt");
  gitIn(inside.work, "commit", "--quiet", "-m", "third");
  writeFileSync(join(inside.work, "three.txt"), "three\n");
  const later = new Trees(inside.file("batch"));
  const prepared = await later.prepare(host, inside.work, home);
  const second = since();
  expect(second).toMatchObject({ actions: ["fetch", "have", "receive", "check-out"], asked: 0 });
  expect(second.bytes).toBeLessThan(5_000);
  const tree = pathOf(prepared.directory);
  expect(readdirSync(tree).toSorted()).toEqual([".git", "long.bin", "one.txt", "three.txt", "two.txt"]);
  writeFileSync(join(tree, "three.txt"), "changed\n");
  expect(await prepared.collect?.(never)).toBe("Its changes to 1 file are in the branch bcdfghjk/1.");
  expect(gitIn(inside.work, "show", "bcdfghjk/1:three.txt")).toBe("changed");
  // One repository for a remote, whatever was sent.
  expect(readdirSync(join(folder, "repositories"))).toHaveLength(1);
  // Somebody else has pushed meanwhile: what is known here is there all the same.
  const other = inside.file("other");
  user(inside.path, "clone", "--quiet", "--branch", "main", `me@server:${remote}`, other);
  writeFileSync(join(other, "four.txt"), "four\n");
  gitIn(other, "add", "--all");
  gitIn(other, "commit", "--quiet", "-m", "by somebody else");
  user(other, "push", "--quiet", "origin", "HEAD:main");
  since();
  await new Trees(inside.file("batch")).prepare(host, other, home);
  expect(since()).toMatchObject({ bytes: 0 });
});

withGit("a machine that cannot get it is sent everything, which the first of its tasks says", async () => {
  using inside = new Inside();
  const { host, trees, since, refuse, pathOf } = withServer(inside);
  refuse();
  const [one, other] = await Promise.all([
    trees.prepare(host, inside.work, home),
    trees.prepare(host, inside.work, home),
  ]);
  expect(since().actions.filter((action) => action === "fetch")).toHaveLength(1);
  expect(readFileSync(join(pathOf(one.directory), "one.txt"), "utf8")).toBe("one\n");
  const said = await Promise.all([one, other].map((prepared) => prepared.collect?.(never)));
  expect(said.filter((text) => text !== undefined)).toEqual([
    expect.stringMatching(
      /^box1 could not get me@server:.*remote\.git by itself \(.*Could not read from remote repository.*\), so its files were sent from here\.$/,
    ),
  ]);
});

withGit("a commit that the remote has lost is sent from here", async () => {
  using inside = new Inside();
  const { host, trees, remote, since, pathOf } = withServer(inside);
  gitIn(remote, "update-ref", "-d", "refs/heads/main");
  gitIn(remote, "gc", "--quiet", "--prune=now");
  const prepared = await trees.prepare(host, inside.work, home);
  expect(since().actions).toEqual(["fetch", "have", "receive", "check-out"]);
  expect(readFileSync(join(pathOf(prepared.directory), "one.txt"), "utf8")).toBe("one\n");
  expect(await prepared.collect?.(never)).toContain("it does not have all that the remote had last");
});

withGit("everything goes from here if it is to, or if the machine knows no better", async () => {
  using inside = new Inside();
  const { host, since } = withServer(inside);
  const here = new Trees(inside.file("batch"), { hasSource: false });
  await here.prepare(host, inside.work, home);
  await new Trees(inside.file("batch")).prepare({ ...host, canFetch: false }, inside.work, home);
  const { actions, asked } = since();
  expect(actions).not.toContain("fetch");
  expect(asked).toBe(0);
});

withGit(
  "no secret of an address leaves this machine, and one on its disk is of no use to others",
  async () => {
    using inside = new Inside();
    const { host, trees, since } = withServer(inside);
    const first = gitIn(inside.work, "rev-parse", "HEAD");
    const sourceWith = async (url: string) => {
      gitIn(inside.work, "remote", "set-url", "origin", url);
      return (await snapshotOf(inside.work, inside.file("batch"))).source;
    };
    expect(await sourceWith("https://me:secret@example.com/shop.git")).toEqual({
      url: "https://example.com/shop.git",
      commits: [first],
    });
    for (const url of [
      "ssh://me:secret@example.com/shop.git",
      "https://example.com/shop.git?token=secret",
      inside.file("remote.git"),
      `file://${inside.file("remote.git")}`,
    ])
      expect(await sourceWith(url)).toBe(undefined);
    expect(JSON.stringify(await trees.prepare(host, inside.work, home))).not.toContain("secret");
    expect(since().actions).toEqual(["have", "receive", "check-out"]);
  },
);

withGit("a fetch that hangs keeps neither a cancelled task nor other repositories waiting", async () => {
  using inside = new Inside();
  const { there, host, trees, hang, asked, folder } = withServer(inside);
  const none = new Uint8Array(0);
  hang();
  const { name: repository, source } = await snapshotOf(inside.work, inside.file("batch"));
  if (!source) throw new Error("It has no source");
  const fetch = there.act(
    "one",
    { do: "fetch", repository, url: source.url, commits: [...source.commits] },
    none,
  );
  await eventually(
    () => asked().includes("upload-pack"),
    () => "nobody asks the server",
  );
  // Another runner begins, and another repository is asked for.
  await there.keepOnly("two", []);
  expect(await there.act("two", { do: "have", repository: "a".repeat(40) }, none)).toEqual({
    answer: { commits: [] },
  });
  expect(there.isFetching).toBe(true);
  await there.prune((batch) => batch === "two");
  expect(there.isFetching).toBe(true);
  await there.prune(() => true);
  expect((await fetch).answer.problem).toBeString();
  expect(existsSync(join(folder, "repositories"))).toBe(false);
  // What the machine answers once nobody wants it any more, as its connection does.
  const given: TreeHost = {
    ...host,
    tree: async (action, body, isCancelled) =>
      action.do === "fetch" && isCancelled?.()
        ? { problem: "nobody wants it any more", away: "waited-for", body: none }
        : await host.tree(action, body, isCancelled),
  };
  await expect(trees.prepare(given, inside.work, home, () => false)).rejects.toBeInstanceOf(NotNow);
});

withGit("half of a repository is made again, and no repository around it is changed", async () => {
  using inside = new Inside();
  const { host, trees, since, folder, pathOf } = withServer(inside);
  // As a home that is under version control.
  gitIn(inside.path, "init", "--quiet");
  gitIn(inside.path, "commit", "--quiet", "--allow-empty", "-m", "own");
  gitIn(inside.path, "branch", "mine");
  const before = gitIn(inside.path, "for-each-ref");
  const { name } = await snapshotOf(inside.work, inside.file("batch"));
  mkdirSync(join(folder, "repositories", `${name}.git`, "objects"), { recursive: true });
  const prepared = await trees.prepare(host, inside.work, home);
  expect(since().actions).toEqual(["fetch", "have", "check-out"]);
  expect(readFileSync(join(pathOf(prepared.directory), "one.txt"), "utf8")).toBe("one\n");
  expect(gitIn(inside.path, "for-each-ref")).toBe(before);
});

withGit(
  "what is asked for while all are pruned comes behind that, and a place on a disk is no remote",
  async () => {
    using inside = new Inside();
    const { there } = farMachine(inside);
    const repository = "a".repeat(40);
    const none = new Uint8Array(0);
    const have = there.act("one", { do: "have", repository }, none);
    expect(there.isBusy).toBe(true);
    const pruned = there.prune(() => true);
    const url = `file://${inside.work}`;
    const fetch = there.act("two", { do: "fetch", repository, url, commits: [repository] }, none);
    await pruned;
    expect((await fetch).answer.problem).toContain("names a place on its sender's disk");
    await have;
    expect(there.isBusy).toBe(false);
  },
);
