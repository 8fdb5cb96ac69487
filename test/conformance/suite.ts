// Runs `@modelcontextprotocol/conformance` as its own process, under Bun, and reads what it writes down.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** The versions of the protocol that our HTTP door speaks by, each over its own kind of connection. */
export const versions = ["2025-11-25", "2026-07-28"] as const;

/** What scenarios of extensions run as: they have no version, and with one the suite would skip them. */
export const extension = "extension";

export type Edition = (typeof versions)[number] | typeof extension;

export const editions: Edition[] = [...versions, extension];

const check = z.object({
  id: z.string(),
  status: z.enum(["SUCCESS", "FAILURE", "WARNING", "SKIPPED", "INFO"]),
  description: z.string().optional(),
  errorMessage: z.string().optional(),
});
export type Check = z.infer<typeof check>;

const suite = join(import.meta.dir, "..", "..", "node_modules", "@modelcontextprotocol", "conformance");
const program = join(suite, "dist", "index.js");

/** Every scenario for servers, with the editions to run it in. */
export function scenarios(): { scenario: string; editions: Edition[] }[] {
  const { stdout } = Bun.spawnSync([process.execPath, program, "list", "--server"]);
  const lines = stdout.toString().matchAll(/^ +- (\S+) \[(.*)\]$/gm);
  return [...lines].map(([, scenario = "", where = ""]) => ({
    scenario,
    editions: editions.filter((edition) => where.split(",").includes(edition)),
  }));
}

/** Runs all scenarios of a version; gives the checks of each that ran. */
export async function runVersion(url: string, version: string, directory: string) {
  await run(["--url", url, "--suite", "all", "--spec-version", version, "--output-dir", directory]);
  return checksIn(directory);
}

/** Runs scenarios one by one. */
export async function runEach(url: string, names: string[], directory: string) {
  for (const name of names) await run(["--url", url, "--scenario", name, "--output-dir", directory]);
  return checksIn(directory);
}

// Its exit status says less than the checks, and also 0 where nothing was checked.
async function run(options: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, program, "server", ...options], {
    stdout: "ignore",
    stderr: "ignore",
  });
  await child.exited;
}

// Each scenario has a directory, named after it and the time.
function checksIn(directory: string): Map<string, Check[]> {
  const found = readdirSync(directory).flatMap((name): [string, Check[]][] => {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1];
    if (scenario === undefined) return [];
    const text = readFileSync(join(directory, name, "checks.json"), "utf8");
    return [[scenario, z.array(check).parse(JSON.parse(text))]];
  });
  return new Map(found);
}
