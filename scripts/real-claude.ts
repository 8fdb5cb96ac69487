// Gets the real `claude` from npm into a cache outside the project, for the tests that run it.
import { accessSync, constants } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A `claude` that can be spawned, and the version it says it has. */
export interface RealClaude {
  readonly path: string;
  readonly version: string;
}

/** Why there is no real `claude` here: no npm, no registry, or no build for this machine. */
export class RealClaudeUnavailable extends Error {
  override readonly name = "RealClaudeUnavailable";
}

const packageName = "@anthropic-ai/claude-code";

/**
 * Gives the cached `claude`, installing the latest when there is none or when `refresh` is asked for.
 * Throws `RealClaudeUnavailable` when it cannot be had.
 */
export async function installRealClaude({ refresh = false } = {}): Promise<RealClaude> {
  const cache = cacheDirectory();
  if (refresh || (await runnableIn(cache)) === undefined) await install(cache);
  const found = await runnableIn(cache);
  if (!found) throw new RealClaudeUnavailable(`${packageName} has no build that runs on ${platformKey()}`);
  return found;
}

function cacheDirectory(): string {
  const own = Bun.env["REAL_CLAUDE_CACHE"];
  if (own) return own;
  const base = Bun.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "parallel-claude-code-mcp", "real-claude");
}

async function runnableIn(cache: string): Promise<RealClaude | undefined> {
  // The package's own bin is a stub until its postinstall ran, which npm may block. The binary is in the package
  // of the platform, and needs no postinstall. The musl build is tried last: both can be there.
  const file = process.platform === "win32" ? "claude.exe" : "claude";
  for (const suffix of ["", "-musl"]) {
    const path = join(cache, "node_modules", `${packageName}-${platformKey()}${suffix}`, file);
    if (!isExecutable(path)) continue;
    const version = await versionOf(path);
    if (version) return { path, version };
  }
  return undefined;
}

function platformKey(): string {
  return `${process.platform}-${process.arch}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not to be run: the caller looks on.
    return false;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const child = Bun.spawn([path, "--version"], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
    const [said, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
    return exitCode === 0 ? /^\d+\.\d+\.\d+\S*/.exec(said)?.[0] : undefined;
  } catch {
    // Built for another C library: the loader is missing, which is an ENOENT of the file itself.
    return undefined;
  }
}

async function install(cache: string): Promise<void> {
  const npm = Bun.which("npm");
  if (!npm) throw new RealClaudeUnavailable("npm is not on the PATH");
  await mkdir(cache, { recursive: true });
  const flags = ["--no-audit", "--no-fund", "--no-save", "--fetch-retries=1", "--loglevel=error"];
  const child = Bun.spawn([npm, "install", "--prefix", cache, ...flags, `${packageName}@latest`], {
    // npm takes the directory it is started in for a project of its own.
    cwd: cache,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new RealClaudeUnavailable(`npm install failed: ${firstError(said)}`);
}

function firstError(said: string): string {
  return said.split("\n").find((line) => line.trim() !== "") ?? "no reason given";
}

if (import.meta.main) {
  try {
    const { path, version } = await installRealClaude({ refresh: Bun.argv.includes("--refresh") });
    await Bun.write(Bun.stdout, `${path}\n`);
    await Bun.write(Bun.stderr, `claude ${version}\n`);
  } catch (error) {
    if (!(error instanceof RealClaudeUnavailable)) throw error;
    await Bun.write(Bun.stderr, `skipped: ${error.message}\n`);
    process.exitCode = 1;
  }
}
