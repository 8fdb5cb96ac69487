// Packing a release: what is refused, and what comes out.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checksumOf } from "../../scripts/release/checksums.ts";
import { release } from "../../scripts/release/release.ts";
import { targets } from "../../scripts/release/targets.ts";
import { git, Repositories, script, start } from "./release-harness.ts";

setDefaultTimeout(120_000);

const { name } = release;
const repositories = new Repositories();
afterAll(() => repositories[Symbol.dispose]());

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
    const path = repositories.copy();
    for (const args of [["--binary"], ["--pack", "--binaries"], ["--pack", "x"]]) {
      const { exitCode, err } = script(path, "release:build", args);
      expect(exitCode).toBe(2);
      expect(err).toStartWith(
        `release:build was called with ${args.join(" ")}.\nrelease:build [--binaries | --pack]\n`,
      );
    }
    expect(existsSync(join(path, "dist"))).toBe(false);
  });

  const refusals: [what: string, prepare: (path: string) => void, message: string][] = [
    [
      "where nothing was compiled",
      () => undefined,
      "dist/bin holds no executables that `release:build --binaries` compiled",
    ],
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
      const path = repositories.copy();
      prepare(path);
      const { exitCode, err } = script(path, "release:build", ["--pack"]);
      expect({ exitCode, told: err.includes(message), err }).toEqual({ exitCode: 1, told: true, err });
      expect(existsSync(join(path, "dist", "SHA256SUMS"))).toBe(false);
    });
  }

  test("--pack packs what signing made of the executables for macOS, for the owner that is told", () => {
    const path = repositories.copy();
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
    script(path, "release:prepare", ["0.1.0"], owned);
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
    const path = repositories.copy();
    compiled(path);
    const sums = () => {
      expect(script(path, "release:build", ["--pack"])).toMatchObject({ exitCode: 0 });
      return readFileSync(join(path, "dist", "SHA256SUMS"), "utf8");
    };
    expect(sums()).toBe(sums());
  });
});
