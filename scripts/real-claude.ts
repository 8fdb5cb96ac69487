// Gets the real `claude` from npm, each version side by side in a cache outside the project, for the tests that run it.
import { accessSync, constants } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { notableVersions, oldestVersion } from "../src/claude/versions.ts";

/** A `claude` that can be spawned, and the version it says it has. */
export interface RealClaude {
  readonly path: string;
  readonly version: string;
}

/** Why there is no real `claude` here: no npm, no registry, or no build for this machine. */
export class RealClaudeUnavailable extends Error {
  override readonly name = "RealClaudeUnavailable";
}

interface Wanted {
  /** A version, `latest`, or `oldest`, the oldest that is supported; `REAL_CLAUDE_VERSION` unless given. */
  version?: string;
  /** Asks npm what the latest version is, however short ago it was asked. */
  refresh?: boolean;
}

const packageName = "@anthropic-ai/claude-code";
const latestHoldsMs = 24 * 3_600_000;
/** How soon npm is asked again that could not be asked, so that the files of one run do not all wait for it. */
const askAgainMs = 10 * 60_000;

/**
 * Gives a `claude` of this version, installing it when the cache does not have it. `latest` is what npm said at most
 * a day ago; without npm, what it said last. Throws `RealClaudeUnavailable` when the version cannot be had.
 */
export async function installRealClaude({
  version = Bun.env["REAL_CLAUDE_VERSION"] || "latest",
  refresh = false,
}: Wanted = {}): Promise<RealClaude> {
  const exact = await exactVersion(version, refresh);
  const folder = join(cacheDirectory(), exact);
  if ((await runnableIn(folder)) === undefined) await install(exact, folder);
  const found = await runnableIn(folder);
  if (!found)
    throw new RealClaudeUnavailable(`${packageName} ${exact} has no build that runs on ${platformKey()}`);
  return found;
}

/**
 * The same for Windows, on any system: not started, because that takes Windows. Gives the folder that is a cache of it alone, and the
 * version.
 */
export async function installWindowsClaude({
  version = Bun.env["REAL_CLAUDE_VERSION"] || "latest",
}: Pick<Wanted, "version"> = {}): Promise<{ cache: string; version: string }> {
  const exact = await exactVersion(version, false);
  const cache = join(cacheDirectory(), "win32");
  const folder = join(cache, exact);
  const program = join(folder, "node_modules", `${packageName}-win32-x64`, "claude.exe");
  if (!(await Bun.file(program).exists())) await install(exact, folder, ["--os=win32", "--cpu=x64"]);
  if (!(await Bun.file(program).exists()))
    throw new RealClaudeUnavailable(`${packageName} ${exact} has no build for Windows`);
  return { cache, version: exact };
}

async function exactVersion(version: string, refresh: boolean): Promise<string> {
  if (version === "oldest") return oldestVersion;
  return version === "latest" ? latestVersion(refresh) : version;
}

function cacheDirectory(): string {
  const own = Bun.env["REAL_CLAUDE_CACHE"];
  if (own) return own;
  const base = Bun.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "parallel-claude-code-mcp", "real-claude");
}

const latestSchema = z.object({ version: z.string(), askedAt: z.number() });

async function latestVersion(refresh: boolean): Promise<string> {
  const file = Bun.file(join(cacheDirectory(), "latest.json"));
  const kept = (await file.exists()) ? latestSchema.safeParse(await file.json()).data : undefined;
  if (kept && !refresh && Date.now() - kept.askedAt < latestHoldsMs) return kept.version;
  try {
    const version = (await npm(["view", `${packageName}@latest`, "version", "--fetch-timeout=30000"])).trim();
    if (kept && kept.version !== version) await removeFormer(kept.version);
    await Bun.write(file, JSON.stringify({ version, askedAt: Date.now() }));
    return version;
  } catch (error) {
    const newest = kept?.version ?? (await newestInCache());
    if (!(error instanceof RealClaudeUnavailable) || newest === undefined) throw error;
    console.error(
      `Using claude ${newest}, because the latest version could not be determined: ${error.message}`,
    );
    const askedAt = Date.now() - latestHoldsMs + askAgainMs;
    await Bun.write(file, JSON.stringify({ version: newest, askedAt }));
    return newest;
  }
}

// Otherwise hundreds of megabytes a day would accumulate.
async function removeFormer(version: string): Promise<void> {
  if (notableVersions().includes(version)) return;
  await rm(join(cacheDirectory(), version), { recursive: true, force: true });
}

async function newestInCache(): Promise<string | undefined> {
  const names = await readdir(cacheDirectory()).catch(() => []);
  return names
    .filter((name) => /^\d+\.\d+\.\d+$/.test(name))
    .sort(Bun.semver.order)
    .at(-1);
}

async function runnableIn(folder: string): Promise<RealClaude | undefined> {
  // The package's own bin is a stub until its postinstall ran, which npm may block. The binary is in the package
  // of the platform, and needs no postinstall. The musl build is tried last: both can be there.
  const file = process.platform === "win32" ? "claude.exe" : "claude";
  for (const suffix of ["", "-musl"]) {
    const path = join(folder, "node_modules", `${packageName}-${platformKey()}${suffix}`, file);
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

// Into a folder of this process's own, so that a version is there as a whole or not at all.
async function install(version: string, folder: string, flags: readonly string[] = []): Promise<void> {
  const beside = `${folder}.${process.pid}.part`;
  try {
    await mkdir(beside, { recursive: true });
    await npm(
      ["install", "--prefix", beside, "--ignore-scripts", "--no-save", ...flags, `${packageName}@${version}`],
      beside,
    );
    await rm(folder, { recursive: true, force: true });
    await rename(beside, folder);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** What npm printed. npm treats its working directory as the project. */
async function npm(args: readonly string[], cwd = homedir()): Promise<string> {
  const program = Bun.which("npm");
  if (!program) throw new RealClaudeUnavailable("npm is not on the PATH");
  const quiet = [
    "--no-audit",
    "--no-fund",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--loglevel=error",
  ];
  const child = Bun.spawn([program, ...args, ...quiet], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, said, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new RealClaudeUnavailable(`npm ${args[0]} failed: ${firstError(said)}`);
  return out;
}

function firstError(said: string): string {
  return said.split("\n").find((line) => line.trim() !== "") ?? "no reason given";
}

if (import.meta.main) {
  const [version] = Bun.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  try {
    const found = await installRealClaude({
      ...(version === undefined ? {} : { version }),
      refresh: Bun.argv.includes("--refresh"),
    });
    await Bun.write(Bun.stdout, `${found.path}\n`);
    await Bun.write(Bun.stderr, `claude ${found.version}\n`);
  } catch (error) {
    if (!(error instanceof RealClaudeUnavailable)) throw error;
    await Bun.write(Bun.stderr, `skipped: ${error.message}\n`);
    process.exitCode = 1;
  }
}
