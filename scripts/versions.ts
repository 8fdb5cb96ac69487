// Runs the contract with the real `claude` over a list of its versions, and says what each lacks and what fails.
// `bun run test:versions [VERSION …]`: `oldest`, `latest` or a number; without any, all that matter here.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { notableVersions } from "../src/claude/versions.ts";
import { installRealClaude, RealClaudeUnavailable } from "./real-claude.ts";
import { realTestFlags } from "./test-real.ts";
import { testCasesIn } from "./versions/junit.ts";
import { haveAllPassed, tableOf, type VersionRun } from "./versions/table.ts";

const root = join(import.meta.dir, "..");
const files = await contractFiles();
const asked = Bun.argv.slice(2);
const runs: VersionRun[] = [];
for (const version of asked.length > 0 ? asked : [...notableVersions(), "latest"]) {
  console.log(`\n== ${version}`);
  runs.push(await run(version));
}
console.log(`\n${tableOf(runs)}`);
process.exitCode = haveAllPassed(runs) ? 0 : 1;

// What starts our program imports the harness. All others are about the CLI itself.
async function contractFiles(): Promise<string[]> {
  const folder = join(root, "test/real");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".real.ts")).sort();
  const sources = await Promise.all(names.map((name) => Bun.file(join(folder, name)).text()));
  return names.flatMap((name, index) =>
    sources[index]?.includes('from "../harness.ts"') ? [] : [`./test/real/${name}`],
  );
}

async function run(version: string): Promise<VersionRun> {
  try {
    const { version: exact } = await installRealClaude({ version });
    return { kind: "ran", version, exact, ...(await contractWith(exact)) };
  } catch (error) {
    if (!(error instanceof RealClaudeUnavailable)) throw error;
    console.log(`skipped: ${error.message}`);
    return { kind: "skipped", version, reason: error.message };
  }
}

// Its output is shown as it comes; only the report is read.
async function contractWith(version: string) {
  const folder = await mkdtemp(join(tmpdir(), "contract-"));
  try {
    const report = Bun.file(join(folder, "report.xml"));
    const flags = ["--reporter=junit", `--reporter-outfile=${report.name}`];
    const child = Bun.spawn([process.execPath, "test", ...realTestFlags, ...flags, ...files], {
      cwd: root,
      env: { ...process.env, REAL_CLAUDE_VERSION: version },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    });
    const code = await child.exited;
    return { code, cases: (await report.exists()) ? testCasesIn(await report.text()) : [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
