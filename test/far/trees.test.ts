// Working trees on a far machine: with git, and without a connection.
import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NotNow } from "../../src/engine/attempt/workspace.ts";
import { FarTrees } from "../../src/engine/hosts/far-trees.ts";
import { type TreeHost, Trees } from "../../src/engine/hosts/trees.ts";
import { bundlePieceBytes, interrupted } from "../../src/far/messages.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

const withGit = testNeeding("git", "Linux");

/** A repository with a commit, and a machine that has working trees of it. */
function machineFor(inside: Inside) {
  const git = (...words: string[]) => {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    const { success, stderr } = Bun.spawnSync(["git", ...identity, ...words], { cwd: inside.work });
    if (!success) throw new Error(stderr.toString());
  };
  git("init", "--quiet");
  writeFileSync(join(inside.work, "one.txt"), "one\n");
  git("add", "--all");
  git("commit", "--quiet", "-m", "first");
  const folder = inside.file("far");
  mkdirSync(folder);
  const there = new FarTrees(folder);
  const host: TreeHost = {
    name: "box1",
    textOf: (path) => `box1:${path}`,
    tree: async (action, body = new Uint8Array(0)) => {
      const { answer, body: found = new Uint8Array(0) } = await there.act("abcd2345", action, body);
      return { ...answer, body: found };
    },
  };
  mkdirSync(inside.file("batch"));
  const trees = new Trees(inside.file("batch"));
  return { there, host, trees, folder, pathOf: (text: string) => text.slice("box1:".length) };
}

const never = () => false;

withGit("a session's changes are read without what it has configured in its working tree", async () => {
  using inside = new Inside();
  const { host, trees, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work);
  const tree = pathOf(prepared.directory);
  const ran = inside.file("ran");
  rmSync(join(tree, ".git"));
  Bun.spawnSync(["git", "init", "--quiet"], { cwd: tree });
  writeFileSync(join(tree, ".git", "config"), `[filter "own"]\n\tclean = touch ${ran}\n`);
  writeFileSync(join(tree, ".gitattributes"), "* filter=own\n");
  writeFileSync(join(tree, "two.txt"), "two\n");
  expect(await prepared.collect?.(never)).toContain("It changed 2 files on box1.");
  expect(existsSync(ran)).toBe(false);
});

withGit("a repository that was pruned meanwhile is sent again", async () => {
  using inside = new Inside();
  const { host, trees, folder, there, pathOf } = machineFor(inside);
  const first = await trees.prepare(host, inside.work);
  await first[Symbol.asyncDispose]();
  await there.prune(() => true);
  expect(readdirSync(folder)).toEqual([]);
  const second = await trees.prepare(host, inside.work);
  expect(readFileSync(join(pathOf(second.directory), "one.txt"), "utf8")).toBe("one\n");
});

withGit("repositories stay while a working tree of a batch that goes on is left", async () => {
  using inside = new Inside();
  const { host, trees, there, folder, pathOf } = machineFor(inside);
  const prepared = await trees.prepare(host, inside.work);
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
    expect(await receive("two", 2)).toMatchObject({ answer: { problem: interrupted } });
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
      trees.prepare(saying(answer), inside.work).catch((error: unknown) => error);
    expect(await why({ problem: "away", away: "waited-for" })).toBeInstanceOf(NotNow);
    expect(await why({ problem: "No space left on device", isPassing: true })).toBeInstanceOf(NotNow);
    expect(await why({ problem: "no such commit" })).not.toBeInstanceOf(NotNow);
  },
);

withGit(
  "what cannot be fetched stays where it is, and the remark says where; a patch that is here is named",
  async () => {
    using inside = new Inside();
    const { host, trees, pathOf } = machineFor(inside);
    const prepared = await trees.prepare(host, inside.work);
    const tree = pathOf(prepared.directory);
    writeFileSync(join(tree, "two.txt"), "two\n");
    const away: TreeHost = {
      ...host,
      tree: async () => ({ body: new Uint8Array(0), problem: "away", away: "given-up" }),
    };
    const cutOff = trees.adopt(away, tree, inside.work);
    expect(await cutOff?.collect?.(never)).toBe(
      `What it changed could not be fetched from ${prepared.directory}: away`,
    );
    await cutOff?.[Symbol.asyncDispose]();
    expect(existsSync(tree)).toBe(true);
    const said = await prepared.collect?.(never);
    expect(said).toContain("It changed 1 file on box1.");
    // The runner that follows one that died here.
    await prepared[Symbol.asyncDispose]();
    expect(await trees.adopt(host, tree, inside.work)?.collect?.(never)).toContain(
      "It changed files on box1.",
    );
  },
);
