// What the tests of a release share: throwaway repositories with our scripts in them, in which somebody releases.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "../../scripts/release/release.ts";

/** A template of a repository, and copies of it. */
export class Repositories implements Disposable {
  /** For whatever else a test makes. */
  readonly scratch = realpathSync(mkdtempSync(join(tmpdir(), "pccm-release-")));
  readonly #template = join(this.scratch, "template");
  #copies = 0;

  constructor() {
    const template = this.#template;
    mkdirSync(template);
    const parts =
      "package.json bun.lock tsconfig.json LICENSE README.md ARCHITECTURE.md docs scripts src .github test/limit-samples.ts";
    for (const part of parts.split(" ")) cpSync(join(root, part), join(template, part), { recursive: true });
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
  }

  /** A repository of its own: version 0.1.0, with one commit, and something to release. */
  copy(): string {
    const path = join(this.scratch, `copy-${++this.#copies}`);
    cpSync(this.#template, path, { recursive: true, verbatimSymlinks: true });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

const author = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@localhost",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@localhost",
};

/** Runs a command to its end, without this machine's settings. */
export function start(cwd: string, command: string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: join(cwd, ".."), ...author, ...environment };
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, env });
  return { exitCode, out: stdout.toString(), err: stderr.toString() };
}

/** What git prints; throws where it fails. */
export function git(cwd: string, ...args: string[]): string {
  const { exitCode, out, err } = start(cwd, ["git", ...args]);
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${err}`);
  return out.trim();
}

/** Runs a script of `package.json`. */
export function script(cwd: string, name: string, args: string[], environment: Record<string, string> = {}) {
  return start(cwd, [process.execPath, "run", "--silent", name, ...args], environment);
}

/** Puts a script in the place of a command that talks to the world; gives the PATH that has it. */
export function pathWith(path: string, command: string, text: string): string {
  const bin = join(path, "dist", "fake");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, command), text, { mode: 0o755 });
  return [bin, process.env["PATH"] ?? ""].join(delimiter);
}
