// What a release begins with: its commit, its notes, and what stands against publishing.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksumOf } from "../../scripts/release/checksums.ts";
import { notesOf } from "../../scripts/release/notes.ts";
import { git, Repositories, script, start } from "./release-harness.ts";

setDefaultTimeout(120_000);

const repositories = new Repositories();
afterAll(() => repositories[Symbol.dispose]());

const owned = { GITHUB_REPOSITORY_OWNER: "somebody" };

describe("release:prepare", () => {
  test("makes the commit of the version, dates its section, and says the tag", () => {
    const path = repositories.copy();
    publish(path);
    const { exitCode, out } = script(path, "release:prepare", ["0.2.0"]);
    expect(exitCode).toBe(0);
    expect(out).toContain("git tag v0.2.0 && git push --atomic origin main v0.2.0");
    expect(git(path, "log", "-1", "--format=%s")).toBe("Release 0.2.0");
    expect(git(path, "diff", "--name-only", "HEAD~")).toBe("CHANGELOG.md\npackage.json");
    expect(git(path, "diff", "HEAD~", "--", "package.json").match(/^[+-] .*/gm)).toEqual([
      '-  "version": "0.1.0",',
      '+  "version": "0.2.0",',
    ]);
    expect(readFileSync(join(path, "CHANGELOG.md"), "utf8")).toMatch(
      /^# Changelog\n\n## Unreleased\n\n## 0\.2\.0 - \d{4}-\d\d-\d\d\n\n### Added\n- A thing\.\n\n## 0\.0\.9 /,
    );
    expect(git(path, "status", "--porcelain")).toBe("");
  });

  test("the first release may have the version that package.json has already", () => {
    const path = repositories.copy();
    publish(path);
    expect(script(path, "release:prepare", ["0.1.0"])).toMatchObject({ exitCode: 0, err: "" });
    expect(git(path, "diff", "--name-only", "HEAD~")).toBe("CHANGELOG.md");
  });

  test("the first release fills in the owner, and the documents say what a release brings", () => {
    const path = repositories.copy();
    expect(readFileSync(join(path, "README.md"), "utf8")).toContain("no release yet");
    const origins = ["git@github.com:somebody/x.git", "https://github.com/somebody/x"];
    for (const origin of [undefined, ...origins]) {
      if (origin !== undefined) git(path, "config", "remote.origin.url", origin);
      const environment = origin === undefined ? owned : {};
      expect(script(path, "release:prepare", ["0.1.0"], environment)).toMatchObject({ exitCode: 0, err: "" });
      expect(git(path, "diff", "--name-only", "HEAD~").split("\n")).toEqual([
        "CHANGELOG.md",
        "README.md",
        "docs/install.md",
        "package.json",
      ]);
      expect(git(path, "status", "--porcelain")).toBe("");
      for (const document of ["README.md", "docs/install.md"]) {
        const text = readFileSync(join(path, document), "utf8");
        expect(text).toContain("https://github.com/somebody/parallel-claude-code-mcp/releases/latest");
        expect(text).not.toContain("no release yet");
        expect(text).not.toContain("OWNER");
      }
      git(path, "reset", "--quiet", "--hard", "HEAD~");
    }
  });

  const refusals: [what: string, version: string[], prepare: (path: string) => void, message: string][] = [
    ["no version", [], () => undefined, "wants the version to release, such as 0.2.0"],
    ["a version that is none", ["v0.2"], () => undefined, "wants the version to release, such as 0.2.0"],
    ["an older version", ["0.0.9"], () => undefined, "0.0.9 is older than 0.1.0"],
    ["a tree with changes", ["0.2.0"], (path) => writeFileSync(join(path, "stray"), ""), "?? stray"],
    ["a tag that is there", ["0.2.0"], (path) => git(path, "tag", "v0.2.0"), "There is a tag v0.2.0 already"],
    [
      "a version that was released",
      ["0.2.0"],
      (path) => change(path, "## 0.0.9 - 2026-01-01", "## 0.2.0"),
      "has a section for 0.2.0 already",
    ],
    [
      "nothing to release",
      ["0.2.0"],
      (path) => change(path, "### Added\n- A thing.\n", ""),
      'nothing under "## Unreleased"',
    ],
    [
      "an owner that nobody knows",
      ["0.2.0"],
      (path) => git(path, "remote", "add", "origin", "/srv/git/x"),
      "The owner is not known",
    ],
  ];
  for (const [what, args, spoil, message] of refusals) {
    test(`refuses ${what}, and changes nothing`, () => {
      const path = repositories.copy();
      spoil(path);
      const before = git(path, "rev-parse", "HEAD");
      const { exitCode, err } = script(path, "release:prepare", args);
      expect(exitCode).not.toBe(0);
      expect(err).toContain(message);
      expect(git(path, "rev-parse", "HEAD")).toBe(before);
      expect(git(path, "diff", "HEAD")).toBe("");
    });
  }

  // As after a first release.
  function publish(path: string): void {
    const file = join(path, "package.json");
    writeFileSync(file, readFileSync(file, "utf8").replace("github:OWNER/", "github:somebody/"));
    start(path, [process.execPath, "scripts/docs.ts"]);
    git(path, "commit", "--quiet", "--all", "--message", "Publish");
  }

  function change(path: string, from: string, to: string): void {
    const file = join(path, "CHANGELOG.md");
    writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
    git(path, "commit", "--quiet", "--all", "--message", "Change");
  }
});

test("the notes of a version are its section, and what is unreleased while it has none", () => {
  const changelog =
    "# C\n\n## Unreleased\n\n- New.\n\n## 0.2.0 - 2026-11-01\n\n- Two.\n\n## 0.2.0-rc.1 - 2026-10-01\n- Candidate.\n";
  expect(notesOf(changelog, "0.2.0")).toBe("- Two.\n");
  expect(notesOf(changelog, "0.2.0-rc.1")).toBe("- Candidate.\n");
  expect(notesOf(changelog, "0.3.0")).toBe("- New.\n");
});

describe("release:check", () => {
  test("lets a prepared release of a known owner pass", () => {
    const path = repositories.copy();
    script(path, "release:prepare", ["0.2.0"], owned);
    expect(script(path, "release:check", ["v0.2.0"], owned)).toEqual({
      exitCode: 0,
      out: "v0.2.0 may be published by somebody.\n",
      err: "",
    });
  });

  test("names everything that stands against it", () => {
    const { exitCode, err } = script(repositories.copy(), "release:check", ["v0.2.0"]);
    expect(exitCode).toBe(1);
    expect(err.split("\n").map((line) => line.slice(0, 62))).toEqual([
      "Not to be published: the tag is v0.2.0, and package.json has v",
      "Not to be published: CHANGELOG.md has no section for 0.1.0: `b",
      'Not to be published: the owner is not known, and "OWNER" would',
      "",
    ]);
  });

  test("refuses artifacts that changed, that lack, and that carry the placeholder, packed ones too", () => {
    const path = repositories.copy();
    script(path, "release:prepare", ["0.2.0"], owned);
    const contents: Record<string, string | Uint8Array> = {
      "server.json": "io.github.OWNER/x",
      "a.tgz": Bun.gzipSync(Buffer.from("https://github.com/OWNER/x")),
      "good.json": "io.github.somebody/x",
    };
    mkdirSync(join(path, "dist"));
    for (const [file, content] of Object.entries(contents)) writeFileSync(join(path, "dist", file), content);
    const sums = Object.entries(contents).map(([file, content]) => `${checksumOf(content)}  ${file}\n`);
    const lacking = `${checksumOf("x")}  lacking\n`;
    const changed = `${checksumOf("x")}  changed\n`;
    writeFileSync(join(path, "dist", "changed"), "y");
    writeFileSync(join(path, "dist", "SHA256SUMS"), [...sums, lacking, changed].join(""));
    const { exitCode, err } = script(path, "release:check", ["v0.2.0", "--artifacts"], owned);
    expect({ exitCode, err: err.trim().split("\n") }).toEqual({
      exitCode: 1,
      err: [
        "Not to be published: server.json has the placeholder OWNER in it.",
        "Not to be published: a.tgz has the placeholder OWNER in it.",
        "Not to be published: dist lacks lacking, which SHA256SUMS names.",
        "Not to be published: changed is not what SHA256SUMS says.",
      ],
    });
  });
});
