// The MCP Inspector's command line on the compiled program: whether its strict look at the tools finds nothing, and whether
// 200 calls at 20 at once, on a busy machine, end without an error. Run `bun run inspect`.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.ts";

// Of the package, for it brings a web application along that a development dependency would install for everybody.
const inspectorPackage = "@modelcontextprotocol/inspector";
const version = "2.12.0";
const eras = ["legacy", "modern"] as const;
const patienceMs = 120_000;

const launcher = await install();
if (launcher === undefined) process.exit(0);
const directory = mkdtempSync(join(tmpdir(), "pccm-inspect-"));
const program = join(directory, "parallel-claude-code-mcp");
const faults: string[] = [];
try {
  await build(program);
  for (const era of eras) {
    faults.push(...(await strict(era)));
    faults.push(...(await load(era)));
  }
} finally {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
for (const fault of faults) console.error(fault);
console.log(`inspector ${version}: ${faults.length === 0 ? "clean" : `${faults.length} faults`}`);
process.exitCode = faults.length === 0 ? 0 : 1;

type Era = (typeof eras)[number];

async function strict(era: Era): Promise<string[]> {
  const { code, err } = await inspect(era, ["--method", "tools/list", "--strict"]);
  console.log(`${era}: --strict ended with ${code}`);
  // A warning leaves the exit status 0, and is a fault here all the same.
  return code === 0 && err.trim() === "" ? [] : [`${era}: --strict ended with ${code}:\n${err}`];
}

async function load(era: Era): Promise<string[]> {
  // Two processes that do nothing but run, as many as a small machine has cores; they end by themselves if we do not end them.
  const busy = [1, 2].map(() =>
    Bun.spawn([process.execPath, "-e", `const end = Date.now() + ${patienceMs}; while (Date.now() < end);`]),
  );
  const call = ["--method", "tools/call", "--tool-name", "list_batches", "--format", "json"];
  const extent = ["--load", "--load-requests", "200", "--load-concurrency", "20"];
  const { code, out, err } = await inspect(era, [...call, ...extent]);
  for (const child of busy) child.kill("SIGKILL");
  await Promise.all(busy.map(({ exited }) => exited));
  console.log(`${era}: --load ended with ${code}: ${out.replaceAll(/\s+/g, " ").trim()}`);
  return code === 0 ? [] : [`${era}: --load ended with ${code}:\n${out}${err}`];
}

async function inspect(era: Era, args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = ["node", launcher ?? "", "--cli", "--quiet", "--protocol-era", era, ...args, program];
  const child = Bun.spawn(command, {
    cwd: directory,
    env: {
      HOME: directory,
      PATH: process.env["PATH"] ?? "",
      PARALLEL_CLAUDE_STATE_DIRECTORY: join(directory, "state"),
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: patienceMs,
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

/** The inspector's launcher, installed into a cache outside the project; nothing, having said why, where it cannot be had. */
async function install(): Promise<string | undefined> {
  const base = Bun.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const cache = join(base, "parallel-claude-code-mcp", `inspector-${version}`);
  const path = join(cache, "node_modules", inspectorPackage, "clients/launcher/build/index.js");
  const npm = Bun.which("npm");
  if (!npm || !Bun.which("node")) return notChecked("node and npm are not both on the PATH");
  if (await Bun.file(path).exists()) return path;
  mkdirSync(cache, { recursive: true });
  const flags = ["--no-audit", "--no-fund", "--no-save", "--fetch-retries=1", "--loglevel=error"];
  const child = Bun.spawn([npm, "install", "--prefix", cache, ...flags, `${inspectorPackage}@${version}`], {
    // npm takes the directory it is started in for a project of its own.
    cwd: cache,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [code, err] = await Promise.all([child.exited, child.stderr.text()]);
  return code === 0 ? path : notChecked(`npm install failed: ${err.trim().split("\n", 1)[0]}`);
}

function notChecked(reason: string): undefined {
  console.log(`not checked: ${reason}`);
  return undefined;
}
