// Which files git says have changed: in the repository of the directory, whatever that or the environment says, and without
// running anything that a stranger's repository names.
import { expect } from "bun:test";
import { existsSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { changedFiles } from "../../src/operations/inputs/changed-files.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

function git(directory: string, ...words: string[]): string {
  const who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  const { exitCode, stdout, stderr } = Bun.spawnSync(["git", ...who, ...words], {
    cwd: directory,
    env: process.env,
  });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

/** A repository with these files in one commit on main. */
async function repository(directory: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await Bun.write(join(directory, name), text);
  git(directory, "init", "--quiet", "--initial-branch=main");
  git(directory, "add", ".");
  git(directory, "commit", "--quiet", "--message=one");
}

testNeeding("git")("variables that name another repository, index or directory change nothing", async () => {
  using inside = new Inside();
  await repository(inside.work, { "a.ts": "1", "b.ts": "1" });
  const other = inside.file("other");
  await repository(other, { "c.ts": "1" });
  await Bun.write(join(inside.work, "a.ts"), "2");
  Object.assign(process.env, {
    GIT_DIR: join(other, ".git"),
    GIT_WORK_TREE: other,
    GIT_INDEX_FILE: join(other, ".git/index"),
    GIT_NAMESPACE: "x",
    GIT_EXTERNAL_DIFF: "false",
    GIT_LITERAL_PATHSPECS: "1",
  });
  expect(await changedFiles(inside.work, "main")).toEqual({ files: ["a.ts"] });
});

testNeeding("git", "programs that are scripts")(
  "no program that the repository names is run, and filters of its user are",
  async () => {
    using inside = new Inside();
    const { work } = inside;
    const ran = inside.file("ran");
    const evil = inside.script("evil", `echo "$0 $*" >> '${ran}'`, "cat");
    await repository(work, {
      "a.ts": "1",
      "b.ts": "1",
      "large.bin": "1",
      ".gitattributes": "*.ts filter=evil diff=evil\n",
    });
    for (const [name, value] of Object.entries({
      "core.fsmonitor": evil,
      "core.hooksPath": inside.file("hooks"),
      "filter.evil.clean": evil,
      "filter.evil.smudge": evil,
      "filter.evil.required": "true",
      "diff.external": evil,
      "diff.evil.command": evil,
      "diff.evil.textconv": evil,
    }))
      git(work, "config", name, value);
    inside.script("hooks/post-index-change", `touch '${ran}'`);
    // Git compares what has another time.
    const touch = () => {
      for (const name of ["a.ts", "large.bin"]) utimesSync(join(work, name), 1, 1);
    };
    touch();
    git(work, "diff", "--name-only", "main");
    expect(existsSync(ran)).toBe(true);
    rmSync(ran);
    await Bun.write(join(work, "b.ts"), "2");
    touch();
    expect(await changedFiles(work, "main")).toEqual({ files: ["b.ts"] });
    expect(existsSync(ran)).toBe(false);
    // As with Git LFS, what is in the index is not what is in the file.
    const own = inside.script("own", "echo pointer");
    await Bun.write(join(work, ".gitattributes"), "*.bin filter=own\n");
    git(work, "config", "--global", "filter.own.clean", own);
    for (const name of ["core.fsmonitor", "core.hooksPath", "filter.evil.required"])
      git(work, "config", "--unset", name);
    await Bun.write(join(work, "large.bin"), "large");
    git(work, "add", "large.bin");
    git(work, "commit", "--quiet", "--message=two", "large.bin");
    rmSync(ran, { force: true });
    touch();
    expect(await changedFiles(work, "HEAD")).toEqual({ files: [".gitattributes", "b.ts"] });
    git(work, "config", "filter.a=b.clean", evil);
    expect(await changedFiles(work, "HEAD")).toEqual({
      fault: 'requires a repository without a filter of the odd name "a=b" in its configuration',
    });
    expect(existsSync(ran)).toBe(false);
  },
);

testNeeding("git", "programs that are scripts")("nothing is fetched that a partial clone lacks", async () => {
  using inside = new Inside();
  const { work } = inside;
  const ran = inside.file("ran");
  await repository(work, { "in/a.ts": "1", "b.ts": "1" });
  const tree = git(work, "rev-parse", "HEAD:in").trim();
  await Bun.write(join(work, "in/a.ts"), "2");
  git(work, "commit", "--quiet", "--all", "--message=two");
  rmSync(join(work, ".git/objects", tree.slice(0, 2), tree.slice(2)));
  for (const [name, value] of Object.entries({
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "remote.origin.url": inside.file("nowhere"),
    "remote.origin.uploadpack": inside.script("evil", `touch '${ran}'`),
    "protocol.file.allow": "always",
  }))
    git(work, "config", name, value);
  expect(() => git(work, "diff", "--name-only", "HEAD~1")).toThrow();
  expect(existsSync(ran)).toBe(true);
  rmSync(ran);
  expect(await changedFiles(work, "HEAD~1")).toEqual({
    fault: expect.stringContaining("could not be read: git said: "),
  });
  expect(existsSync(ran)).toBe(false);
});

testNeeding("git", "a system other than Windows")(
  "names are taken as they are, whatever signs they have",
  async () => {
    using inside = new Inside();
    const names = [
      'a "quoted".ts',
      " leading.ts",
      "back\\slash.ts",
      "line\nbreak.ts",
      "tab\t.ts",
      "ü.ts",
      "-x.ts",
    ];
    await repository(inside.work, Object.fromEntries(names.slice(0, 4).map((name) => [name, "1"])));
    for (const name of names) await Bun.write(join(inside.work, name), "2");
    expect(await changedFiles(inside.work, "main")).toEqual({ files: names.toSorted() });
    expect(await changedFiles(inside.work, "a\0b")).toEqual({
      fault: '"a\\u0000b" is no commit, branch or tag',
    });
  },
);
