// The MCP Inspector's command line on the compiled program: whether its strict look at the tools finds nothing, and whether
// 200 calls at 20 at once, on a busy machine, end without an error. Run `bun run inspect`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.ts";
import { endOf } from "./command.ts";
import { npmTool } from "./npm-tool.ts";

const version = "2.12.0";
const eras = ["legacy", "modern"] as const;
const patienceMs = 120_000;

// Of the package, for it brings a web application along that a development dependency would install for everybody.
const inspector = await npmTool({
  name: "@modelcontextprotocol/inspector",
  version,
  file: "clients/launcher/build/index.js",
});
if ("missing" in inspector) {
  console.log(`not checked: ${inspector.missing}`);
  process.exit(0);
}
const launcher = inspector.path;
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

function inspect(era: Era, args: string[]): ReturnType<typeof endOf> {
  const command = ["node", launcher, "--cli", "--quiet", "--protocol-era", era, ...args, program];
  return endOf(command, {
    cwd: directory,
    env: {
      HOME: directory,
      PATH: process.env["PATH"] ?? "",
      PARALLEL_CLAUDE_STATE_DIRECTORY: join(directory, "state"),
    },
    timeoutMs: patienceMs,
  });
}
