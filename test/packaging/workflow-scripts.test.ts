// The scripts of the workflows, with GitHub played by other scripts.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksumOf } from "../../scripts/release/checksums.ts";
import { release, root } from "../../scripts/release/release.ts";
import { describeNeeding } from "../facilities.ts";
import { fakeClaudeStart } from "../fixtures/run-fake-claude.ts";
import { git, pathWith, Repositories, start } from "./release-harness.ts";

setDefaultTimeout(120_000);

const { name } = release;
const repositories = new Repositories();
afterAll(() => repositories[Symbol.dispose]());

describeNeeding("sh")("the scripts of the workflows", () => {
  function changeTap(path: string, tag: string, more: Record<string, string> = { GH_TOKEN: "t" }) {
    const gh = `#!/bin/sh
case "$1 $2" in
  "repo clone") git clone --quiet "$TAP_REPOSITORY" "$4" ;;
  "pr list") wc -l <"$TAP_REPOSITORY/requests" | tr -d ' ' ;;
  "pr create") echo "$*" >>"$TAP_REPOSITORY/requests" ;;
esac
`;
    const environment = {
      PATH: pathWith(path, "gh", gh),
      TAP_REPOSITORY: join(path, "dist", "tap.git"),
      GITHUB_REPOSITORY: `somebody/${name}`,
      ...more,
    };
    return start(path, ["sh", ".github/scripts/change-tap.sh", tag, "somebody/homebrew-tap"], environment);
  }

  function withTap(): { path: string; tap: string } {
    const path = repositories.copy();
    const tap = join(path, "dist", "tap.git");
    mkdirSync(join(path, "dist", "homebrew"), { recursive: true });
    writeFileSync(join(path, "dist", "homebrew", `${name}.rb`), "class Formula\n");
    git(path, "clone", "--quiet", "--bare", path, tap);
    writeFileSync(join(tap, "requests"), "");
    return { path, tap };
  }

  test("the tap gets a pull request with formula and alias, once", () => {
    const { path, tap } = withTap();
    expect(changeTap(path, "v0.2.0")).toMatchObject({ exitCode: 0, err: "" });
    const branch = `${name}-0.2.0`;
    expect(git(tap, "show", `${branch}:Formula/${name}.rb`)).toBe("class Formula");
    expect(git(tap, "show", `${branch}:Aliases/claude-code-parallel-mcp-server`)).toBe(
      `../Formula/${name}.rb`,
    );
    expect(git(tap, "ls-tree", branch, "Aliases/")).toStartWith("120000");
    expect(changeTap(path, "v0.2.0")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(tap, "requests"), "utf8").split("\n")).toHaveLength(2);
    git(tap, "update-ref", "refs/heads/main", branch);
    expect(changeTap(path, "v0.2.0").out).toContain("The tap has the formula of 0.2.0 already.");
  });

  test("the tap is left alone for a prerelease, and without a token somebody is told", () => {
    const { path, tap } = withTap();
    expect(changeTap(path, "v0.2.0-rc.1")).toMatchObject({ exitCode: 0 });
    const { exitCode, err } = changeTap(path, "v0.2.0", {});
    expect(exitCode).toBe(1);
    expect(err).toContain("add TAP_TOKEN to the environment tap");
    expect(git(tap, "branch", "--list")).toBe("* main");
  });

  test("a release is drafted once, put right while it is a draft, and left alone once it is out", () => {
    const path = repositories.copy();
    const place = join(path, "dist", "github");
    mkdirSync(place, { recursive: true });
    const gh = `#!/bin/sh
case "$1 $2" in
  "release list") cat "$GITHUB_PLACE/state" 2>/dev/null || true ;;
  "release create") echo "$*" >>"$GITHUB_PLACE/calls"; echo true >"$GITHUB_PLACE/state" ;;
  "release upload") echo "$*" >>"$GITHUB_PLACE/calls"; cp dist/SHA256SUMS "$GITHUB_PLACE/" ;;
  "release download") cp "$GITHUB_PLACE/SHA256SUMS" "$7" ;;
  *) exit 64 ;;
esac
`;
    writeFileSync(
      join(path, "dist", "SHA256SUMS"),
      `${checksumOf("a")}  a.tar.gz\n${checksumOf("b")}  npm/b.tgz\n`,
    );
    const environment = {
      PATH: pathWith(path, "gh", gh),
      GITHUB_PLACE: place,
    };
    const draft = (tag = "v0.2.0") =>
      start(path, ["sh", ".github/scripts/draft-release.sh", tag], environment);
    const upload = "release upload v0.2.0 --clobber dist/SHA256SUMS dist/a.tar.gz dist/npm/b.tgz";
    const create =
      "release create v0.2.0 --draft --verify-tag --title v0.2.0 --notes-file dist/release-notes.md";
    const calls = () => readFileSync(join(place, "calls"), "utf8").trim().split("\n");
    expect(draft()).toMatchObject({ exitCode: 0, err: "" });
    expect(draft()).toMatchObject({ exitCode: 0, err: "" });
    expect(calls()).toEqual([create, upload, upload]);
    writeFileSync(join(place, "state"), "false\n");
    expect(draft()).toMatchObject({ exitCode: 0, out: "v0.2.0 is published already, with these files.\n" });
    writeFileSync(join(path, "dist", "SHA256SUMS"), `${checksumOf("c")}  a.tar.gz\n`);
    const other = draft();
    expect(other.exitCode).toBe(1);
    expect(other.err).toContain("v0.2.0 is published with other files.");
    expect(calls()).toHaveLength(3);
    rmSync(join(place, "state"));
    draft("v0.3.0-rc.1");
    expect(calls().at(-2)).toEndWith("--prerelease");
  });

  test("a program is tried by version, handshake, tools and a batch of three, and a broken one is told", () => {
    const program = join(repositories.scratch, "program");
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, "src/main.ts")}" "$@"\n`);
    chmodSync(program, 0o755);
    const attempt = (...args: string[]) =>
      start(
        repositories.scratch,
        ["sh", join(root, ".github/scripts/try-program.sh"), ...args],
        fakeClaudeStart,
      );
    expect(attempt(program, join(root, "test/fixtures/claude"))).toMatchObject({
      exitCode: 0,
      out: "version 0.1.0\nhandshake and list of tools\na batch of three\n".replace(
        "0.1.0",
        attempt(program).out.split(/\s/)[1] ?? "",
      ),
    });
    expect(attempt("/bin/true").err).toContain("no answer to initialize");
    expect(attempt(program, "/bin/false").exitCode).toBe(1);
  });
});
