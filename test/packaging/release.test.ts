// A release from its commit to what is published, in a throwaway repository, with the outside world played by scripts.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checksumOf } from "../../scripts/release/checksums.ts";
import { notesOf } from "../../scripts/release/notes.ts";
import { targets } from "../../scripts/release/targets.ts";

setDefaultTimeout(60_000);

const root = join(import.meta.dir, "..", "..");
const name = "parallel-claude-code-mcp";
const scratch = realpathSync(mkdtempSync(join(tmpdir(), "pccm-release-")));
const template = join(scratch, "template");
let copies = 0;

beforeAll(() => {
  mkdirSync(template);
  const parts = [
    "package.json",
    "bun.lock",
    "tsconfig.json",
    "LICENSE",
    "README.md",
    "scripts",
    "src",
    ".github",
  ];
  for (const part of parts) cpSync(join(root, part), join(template, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(template, "node_modules"));
  writeFileSync(join(template, ".gitignore"), "node_modules\ndist/\n");
  writeFileSync(
    join(template, "CHANGELOG.md"),
    "# Changelog\n\n## Unreleased\n\n### Added\n- A thing.\n\n## 0.0.9 - 2026-01-01\n- Older.\n",
  );
  const manifest = readFileSync(join(template, "package.json"), "utf8");
  writeFileSync(join(template, "package.json"), manifest.replace(/"version": ".*"/, '"version": "0.1.0"'));
  git(template, "init", "--quiet", "--initial-branch=main");
  git(template, "add", "--all");
  git(template, "commit", "--quiet", "--message", "Begin");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A repository of its own, with one commit. */
function repository(): string {
  copies += 1;
  const path = join(scratch, `copy-${copies}`);
  cpSync(template, path, { recursive: true, verbatimSymlinks: true });
  return path;
}

const author = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@localhost",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@localhost",
};

function start(cwd: string, command: string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: scratch, ...author, ...environment };
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, env });
  return { exitCode, out: stdout.toString(), err: stderr.toString() };
}

function git(cwd: string, ...args: string[]): string {
  const { exitCode, out, err } = start(cwd, ["git", ...args]);
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${err}`);
  return out.trim();
}

function script(cwd: string, command: string, args: string[], environment: Record<string, string> = {}) {
  return start(cwd, [process.execPath, "run", "--silent", command, ...args], environment);
}

describe("release:prepare", () => {
  test("makes the commit of the version, dates its section, and says the tag", () => {
    const path = repository();
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
    const path = repository();
    expect(script(path, "release:prepare", ["0.1.0"])).toMatchObject({ exitCode: 0, err: "" });
    expect(git(path, "diff", "--name-only", "HEAD~")).toBe("CHANGELOG.md");
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
  ];
  for (const [what, args, spoil, message] of refusals) {
    test(`refuses ${what}, and changes nothing`, () => {
      const path = repository();
      spoil(path);
      const before = git(path, "rev-parse", "HEAD");
      const { exitCode, err } = script(path, "release:prepare", args);
      expect(exitCode).not.toBe(0);
      expect(err).toContain(message);
      expect(git(path, "rev-parse", "HEAD")).toBe(before);
      expect(git(path, "diff", "HEAD")).toBe("");
    });
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
  const owned = { GITHUB_REPOSITORY_OWNER: "somebody" };

  test("lets a prepared release of a known owner pass", () => {
    const path = repository();
    script(path, "release:prepare", ["0.2.0"]);
    expect(script(path, "release:check", ["v0.2.0"], owned)).toEqual({
      exitCode: 0,
      out: "v0.2.0 may be published by somebody.\n",
      err: "",
    });
  });

  test("names everything that stands against it", () => {
    const { exitCode, err } = script(repository(), "release:check", ["v0.2.0"]);
    expect(exitCode).toBe(1);
    expect(err.split("\n").map((line) => line.slice(0, 62))).toEqual([
      "Not to be published: the tag is v0.2.0, and package.json has v",
      "Not to be published: CHANGELOG.md has no section for 0.1.0: `b",
      'Not to be published: the owner is not known, and "OWNER" would',
      "",
    ]);
  });

  test("refuses artifacts that changed, that lack, and that carry the placeholder, packed ones too", () => {
    const path = repository();
    script(path, "release:prepare", ["0.2.0"]);
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

describe("release:build", () => {
  const binary = (path: string, target: (typeof targets)[number]) =>
    join(path, "dist", "bin", target.name, target.os === "win32" ? `${name}.exe` : name);

  // Compiling takes half a minute: what is packed here are texts.
  function compiled(
    path: string,
    { commit = git(path, "rev-parse", "HEAD"), version = "0.1.0", bun = Bun.version } = {},
  ): void {
    const checksums: Record<string, string> = {};
    for (const target of targets) {
      mkdirSync(dirname(binary(path, target)), { recursive: true });
      writeFileSync(binary(path, target), `program for ${target.name}`);
      checksums[target.name] = checksumOf(`program for ${target.name}`);
    }
    writeFileSync(
      join(path, "dist", "bin", "compiled.json"),
      JSON.stringify({ version, bun, commit, checksums }),
    );
  }

  const filesBelow = (directory: string) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  test("says what it knows, when it is asked for something else", () => {
    for (const args of [["--binary"], ["--pack", "--binaries"], ["--pack", "x"]]) {
      const { exitCode, err } = script(template, "release:build", args);
      expect(exitCode).toBe(2);
      expect(err).toStartWith(
        `release:build was called with ${args.join(" ")}.\nrelease:build [--binaries | --pack]\n`,
      );
    }
    expect(existsSync(join(template, "dist"))).toBe(false);
  });

  const refusals: [what: string, prepare: (path: string) => void, message: string][] = [
    ["nothing", () => undefined, "dist/bin holds no executables that `release:build --binaries` compiled"],
    [
      "executables of another commit",
      (path) => compiled(path, { commit: "f".repeat(40) }),
      `dist/bin holds 0.1.0 of commit ${"f".repeat(40)}, and this is 0.1.0 of `,
    ],
    [
      "executables of another version",
      (path) => compiled(path, { version: "0.0.9" }),
      "dist/bin holds 0.0.9 of commit ",
    ],
    [
      "executables of another Bun",
      (path) => compiled(path, { bun: "1.4.4" }),
      "dist/bin was compiled by Bun 1.4.4, and this is ",
    ],
    [
      "executables of which one is missing",
      (path) => {
        compiled(path);
        rmSync(join(path, "dist/bin/windows-arm64"), { recursive: true });
      },
      "dist/bin has no executable for windows-arm64.\n",
    ],
    [
      "an executable that somebody changed",
      (path) => {
        compiled(path);
        writeFileSync(join(path, `dist/bin/linux-x64/${name}`), "another");
      },
      "the executable for linux-x64 is not the one that was compiled",
    ],
  ];
  for (const [what, prepare, message] of refusals) {
    test(`--pack refuses ${what}`, () => {
      const path = repository();
      prepare(path);
      const { exitCode, err } = script(path, "release:build", ["--pack"]);
      expect({ exitCode, told: err.includes(message), err }).toEqual({ exitCode: 1, told: true, err });
      expect(existsSync(join(path, "dist", "SHA256SUMS"))).toBe(false);
    });
  }

  test("--pack packs what signing made of the executables for macOS, for the owner that is told", () => {
    const path = repository();
    compiled(path);
    writeFileSync(join(path, `dist/bin/darwin-x64/${name}`), "signed");
    writeFileSync(join(path, "dist/stray-of-an-earlier-build"), "");
    const owned = { GITHUB_REPOSITORY_OWNER: "somebody" };
    expect(script(path, "release:build", ["--pack"], owned)).toMatchObject({ exitCode: 0, err: "" });
    const dist = join(path, "dist");
    expect(existsSync(join(dist, "stray-of-an-earlier-build"))).toBe(false);
    expect(start(dist, ["tar", "-xzOf", `${name}-darwin-x64.tar.gz`, name]).out).toBe("signed");
    const packed = start(dist, ["tar", "-xzOf", `npm/${name}-0.1.0.tgz`, "package/package.json"]).out;
    expect(JSON.parse(packed)).toMatchObject({
      mcpName: `io.github.somebody/${name}`,
      repository: { url: `git+https://github.com/somebody/${name}.git` },
    });
    const entry = JSON.parse(readFileSync(join(dist, "server.json"), "utf8"));
    expect(entry.name).toBe(`io.github.somebody/${name}`);
    const formula = readFileSync(join(dist, "homebrew", `${name}.rb`), "utf8");
    expect(formula).toContain(checksumOf(readFileSync(join(dist, `${name}-darwin-x64.tar.gz`))));
    script(path, "release:prepare", ["0.1.0"]);
    expect(script(path, "release:check", ["v0.1.0", "--artifacts"], owned)).toMatchObject({
      exitCode: 0,
      err: "",
    });

    const sums = readFileSync(join(dist, "SHA256SUMS"), "utf8");
    const listed = sums
      .trim()
      .split("\n")
      .map((line) => join(dist, line.slice(66)));
    const made = filesBelow(dist).filter(
      (file) => !file.startsWith(join(dist, "bin")) && !file.endsWith("SHA256SUMS"),
    );
    expect(listed.sort()).toEqual(made.sort());
  });

  test("--pack gives the same bytes twice", () => {
    const path = repository();
    compiled(path);
    const sums = () => {
      expect(script(path, "release:build", ["--pack"])).toMatchObject({ exitCode: 0 });
      return readFileSync(join(path, "dist", "SHA256SUMS"), "utf8");
    };
    expect(sums()).toBe(sums());
  });
});

describe.skipIf(Bun.which("sh") === null)("release:publish-npm", () => {
  // A registry in a directory: `npm view` reads a file of it, `npm publish` writes one.
  const npm = `#!/bin/sh
case $1 in
  view)
    [ -n "\${REGISTRY_DOWN:-}" ] && { echo "npm error code EAI_AGAIN" >&2; exit 1; }
    [ -f "$REGISTRY/$2" ] || { echo "npm error code E404" >&2; exit 1; }
    cat "$REGISTRY/$2" ;;
  publish)
    echo "$*" >>"$REGISTRY/calls"
    case $2 in *"\${REFUSED:-nothing}"*) exit 1 ;; esac
    spec=$(basename "$2" .tgz | sed 's/-\\([0-9.]*\\)$/@\\1/')
    printf '"sha512-%s"' "$(openssl dgst -sha512 -binary "$2" | base64 | tr -d "\\n")" >"$REGISTRY/$spec" ;;
esac
`;

  function packed(): { path: string; environment: Record<string, string>; calls: () => string[] } {
    const path = repository();
    const registry = join(path, "dist", "registry");
    const bin = join(path, "dist", "fake");
    for (const directory of [registry, bin, join(path, "dist", "npm")])
      mkdirSync(directory, { recursive: true });
    writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
    for (const each of [...targets.map((target) => `${name}-${target.name}`), name])
      writeFileSync(join(path, "dist", "npm", `${each}-0.1.0.tgz`), each);
    const calls = join(registry, "calls");
    return {
      path,
      environment: {
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        REGISTRY: registry,
        GITHUB_ACTIONS: "true",
      },
      calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
    };
  }

  test("publishes what the platforms need before what users name, with provenance", () => {
    const { path, environment, calls } = packed();
    expect(script(path, "release:publish-npm", [], environment)).toMatchObject({ exitCode: 0, err: "" });
    expect(calls()).toHaveLength(targets.length + 1);
    expect(calls().at(-1)).toBe(
      `publish ${join(path, "dist", "npm", `${name}-0.1.0.tgz`)} --access public --ignore-scripts --provenance`,
    );
  });

  test("goes on after a failure, and publishes nothing twice", () => {
    const { path, environment, calls } = packed();
    const first = script(path, "release:publish-npm", [], { ...environment, REFUSED: "darwin-x64" });
    expect(first.exitCode).toBe(1);
    expect(first.err).toContain("What was published so far stays; run this again.");
    const tried = calls().length;
    expect(script(path, "release:publish-npm", [], environment)).toMatchObject({ exitCode: 0 });
    // The one that was refused is tried again.
    expect(calls()).toHaveLength(targets.length + 2);
    expect(tried).toBeLessThan(targets.length);
    expect(script(path, "release:publish-npm", [], environment).out).toContain(
      `${name} 0.1.0 is published already.`,
    );
    expect(calls()).toHaveLength(targets.length + 2);
  });

  test("stops where the registry has other content under the version, or does not answer", () => {
    const { path, environment, calls } = packed();
    writeFileSync(join(path, "dist", "registry", `${name}-linux-x64@0.1.0`), '"sha512-other"');
    const other = script(path, "release:publish-npm", [], environment);
    expect(other.exitCode).toBe(1);
    expect(other.err).toContain("is published with other content (sha512-other");
    const down = script(path, "release:publish-npm", [], { ...environment, REGISTRY_DOWN: "1" });
    expect(down.exitCode).toBe(1);
    expect(down.err).toContain("npm error code EAI_AGAIN");
    expect(calls()).toEqual([]);
  });
});

describe.skipIf(Bun.which("sh") === null)("the scripts of the workflows", () => {
  function changeTap(path: string, tag: string, more: Record<string, string> = { GH_TOKEN: "t" }) {
    const bin = join(path, "dist", "fake");
    const gh = `#!/bin/sh
case "$1 $2" in
  "repo clone") git clone --quiet "$TAP_REPOSITORY" "$4" ;;
  "pr list") wc -l <"$TAP_REPOSITORY/requests" | tr -d ' ' ;;
  "pr create") echo "$*" >>"$TAP_REPOSITORY/requests" ;;
esac
`;
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "gh"), gh, { mode: 0o755 });
    const environment = {
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
      TAP_REPOSITORY: join(path, "dist", "tap.git"),
      GITHUB_REPOSITORY: `somebody/${name}`,
      ...more,
    };
    return start(path, ["sh", ".github/scripts/change-tap.sh", tag, "somebody/homebrew-tap"], environment);
  }

  function withTap(): { path: string; tap: string } {
    const path = repository();
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
    const path = repository();
    const place = join(path, "dist", "github");
    mkdirSync(join(path, "dist", "fake"), { recursive: true });
    mkdirSync(place);
    const gh = `#!/bin/sh
case "$1 $2" in
  "release list") cat "$GITHUB_PLACE/state" 2>/dev/null || true ;;
  "release create") echo "$*" >>"$GITHUB_PLACE/calls"; echo true >"$GITHUB_PLACE/state" ;;
  "release upload") echo "$*" >>"$GITHUB_PLACE/calls"; cp dist/SHA256SUMS "$GITHUB_PLACE/" ;;
  "release download") cp "$GITHUB_PLACE/SHA256SUMS" "$7" ;;
  *) exit 64 ;;
esac
`;
    writeFileSync(join(path, "dist", "fake", "gh"), gh, { mode: 0o755 });
    writeFileSync(
      join(path, "dist", "SHA256SUMS"),
      `${checksumOf("a")}  a.tar.gz\n${checksumOf("b")}  npm/b.tgz\n`,
    );
    const environment = {
      PATH: `${join(path, "dist", "fake")}:${process.env["PATH"] ?? ""}`,
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
    const program = join(scratch, "program");
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, "src/main.ts")}" "$@"\n`);
    chmodSync(program, 0o755);
    const attempt = (...args: string[]) =>
      start(scratch, ["sh", join(root, ".github/scripts/try-program.sh"), ...args], {
        FAKE_CLAUDE_BUN: process.execPath,
      });
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
