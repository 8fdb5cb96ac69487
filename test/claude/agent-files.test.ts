// The agents of a working directory: which files, what stands in them, and which repository they are of.
import { expect, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { agentFiles } from "../../src/claude/agent-files.ts";
import { repositoryOf } from "../../src/claude/repository.ts";
import { Home } from "../harness.ts";
import { nativePath } from "../native-path.ts";

/** Writes files below a home, whose real path begins all of them. */
function places(home: Home) {
  const at = (path: string) => join(realpathSync(home.path), path);
  const write = (path: string, text = "---\nname: x\n---\n") => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
    return at(path);
  };
  return { at, write };
}

test("a file has its fields, and what of them changes what the agent may do", async () => {
  await using home = new Home();
  const { at, write } = places(home);
  write("repo/.git/HEAD");
  const cases: [text: string, fields: object | undefined, effects: string[]][] = [
    ["---\nname: x\ntools: Read\n---\nprompt", { name: "x", tools: "Read" }, []],
    [
      "---\nname: x\nhooks: {}\npermissionMode: plan\n---\n",
      { name: "x", hooks: {}, permissionMode: "plan" },
      ["`permissionMode`", "`hooks`"],
    ],
    ["---\nmyhooks: 1\n---\n", { myhooks: 1 }, []],
    ["no front", undefined, []],
    ["---\n- a\n---\n", { 0: "a" }, []],
    ["---\nfoo: [\nmcpServers: x\n---\n", undefined, ["`mcpServers`"]],
    ['---\nfoo: [\n"m\\x63pServers": x\n---\n', undefined, ["what cannot be read here"]],
  ];
  for (const [text, fields, effects] of cases) {
    const file = write("repo/.claude/agents/a.md", text);
    expect<unknown>(agentFiles(at("repo"))).toEqual([{ file, ...(fields ? { fields } : {}), effects }]);
  }
  const file = write("repo/.claude/agents/a.md", `---\nname: x\n---\n${"x".repeat(256_000)}`);
  expect(agentFiles(at("repo"))).toEqual([{ file, effects: ["what cannot be read here"] }]);
});

test("Markdown files at any depth count, up to a limit, and nothing else", async () => {
  await using home = new Home();
  const { at, write } = places(home);
  write("repo/.git/HEAD");
  const deep = (depth: number) => `repo/.claude/agents/${"d/".repeat(depth)}x.md`;
  const found = [write(deep(0)), write(deep(1)), write(deep(6))];
  write(deep(7));
  write("repo/.claude/agents/x.txt");
  symlinkSync(at("nowhere"), at("repo/.claude/agents/gone.md"));
  expect(
    agentFiles(at("repo"))
      .map(({ file }) => file)
      .sort(),
  ).toEqual(found.sort());
  for (let index = 0; index < 600; index++) write(`repo/sub/.claude/agents/${index}.md`, "");
  expect(agentFiles(at("repo/sub")).filter(({ file }) => file.includes(nativePath("/sub/")))).toHaveLength(
    500,
  );
});

test("directories above count up to the root of the repository, or without one up to the user's home", async () => {
  await using home = new Home();
  const { at, write } = places(home);
  const outer = write("outer/.claude/agents/a.md");
  const inner = write("outer/repo/.claude/agents/a.md");
  const deep = write("outer/repo/deep/.claude/agents/a.md");
  const added = write("added/.claude/agents/a.md");
  const files = (directory: string, ...more: string[]) =>
    agentFiles(at(directory), more).map(({ file }) => file);
  expect(files("outer/repo/deep")).toEqual(expect.arrayContaining([deep, inner, outer]));
  write("outer/repo/.git/HEAD");
  expect(files("outer/repo/deep")).toEqual([deep, inner]);
  expect(files("outer/repo/deep", at("added"))).toEqual([deep, inner, added]);
  expect(files("outer/repo/deep", at("outer/repo"))).toEqual([deep, inner]);
});

test("a repository begins where its `.git` is; a linked worktree knows its main one", async () => {
  await using home = new Home();
  const { at, write } = places(home);
  write("main/.git/HEAD");
  mkdirSync(at("main/a/b"), { recursive: true });
  expect(repositoryOf(at("main/a/b"))).toEqual({
    root: at("main"),
    main: at("main"),
    folder: at("main/.git"),
  });
  write("linked/.git", `gitdir: ${at("main")}/.git/worktrees/linked\n`);
  expect(repositoryOf(at("linked"))).toEqual({
    root: at("linked"),
    main: at("main"),
    folder: at("main/.git/worktrees/linked"),
  });
  write("near/.git", "gitdir: ../main/.git/worktrees/near\n");
  expect(repositoryOf(at("near"))).toEqual({
    root: at("near"),
    main: at("main"),
    folder: at("main/.git/worktrees/near"),
  });
  // A submodule, and a file that says something else.
  write("module/.git", "gitdir: ../main/.git/modules/module\n");
  expect(repositoryOf(at("module"))).toEqual({
    root: at("module"),
    main: at("module"),
    folder: at("main/.git/modules/module"),
  });
  expect(repositoryOf("/")).toBeUndefined();
});
