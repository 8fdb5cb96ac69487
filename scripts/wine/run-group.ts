// Runs a group of test files under Wine, and reads how they ended.
import { join } from "node:path";
import { winePath } from "../../test/facilities.ts";
import { type Skips, skipsIn } from "../verify/skips.ts";
import type { WinePrefix } from "./prefix.ts";

const root = join(import.meta.dir, "..", "..");

/** How a group ended. */
export interface GroupResult {
  passed: number;
  failed: number;
  skips: Skips;
  /** One line, and below it all output if a test failed. */
  shown: string;
}

/** One test, before it counts as hanging. Some start a program twenty times, which takes seconds each on a busy machine. */
const testMs = 150_000;
/** A whole group, unless it says otherwise. */
const usualGroupMs = 480_000;

/** How a group is run. */
export interface GroupOptions {
  /** More variables of the tests. */
  variables?: Readonly<Record<string, string>>;
  /** How long it may take, in milliseconds. */
  groupMs?: number;
}

/**
 * Runs files, as paths from `test/`. A group that crashes or hangs counts as one failed test more. A group in which Wine
 * could not start a program, or lost its server, is run once more, and its line says so.
 */
export async function runGroup(
  prefix: WinePrefix,
  files: readonly string[],
  compiled: Readonly<Record<string, string>>,
  options: GroupOptions = {},
): Promise<GroupResult> {
  const first = await runOnce(prefix, files, compiled, options);
  if (first.failed === 0 || !isWinesFault(first.shown)) return first;
  const second = await runOnce(prefix, files, compiled, options);
  return {
    ...second,
    shown: `${second.shown}\n  (the second run: in the first, Wine could not start a program, or lost its server)`,
  };
}

/**
 * Whether the output of a group shows that Wine refused to start a program, without an error that Windows has, or that a
 * program lost Wine's server before a test ran. Each was seen once in ten whole runs. In the program itself, a call refuses
 * with the former, and a test that expects its data prints the refusal.
 */
export function isWinesFault(output: string): boolean {
  return /EUNKNOWN: unknown error, uv_spawn|^(?:\| )?wine client error:/m.test(output);
}

async function runOnce(
  prefix: WinePrefix,
  files: readonly string[],
  compiled: Readonly<Record<string, string>>,
  { variables = {}, groupMs = usualGroupMs }: GroupOptions,
): Promise<GroupResult> {
  const began = performance.now();
  const paths = Object.entries(compiled).map(([name, path]) => [name, prefix.pathOf(path)] as const);
  const command = [
    "C:\\bun.exe",
    "test",
    "--timeout",
    String(testMs),
    ...files.map((file) => `./test/${file}`),
  ];
  const written = Bun.file(join(prefix.folder, `output-${crypto.randomUUID()}.txt`));
  const child = Bun.spawn([winePath() ?? "wine64", ...command], {
    cwd: root,
    env: prefix.environment({ CI: "1", NO_COLOR: "1", ...Object.fromEntries(paths), ...variables }),
    // A pipe of Linux gives a program of Windows nothing.
    stdin: "ignore",
    // Into a file: a pipe would be waited for as long as anything holds it that the tests have left behind.
    stdout: written,
    stderr: written,
    timeout: groupMs,
    killSignal: "SIGKILL",
  });
  const code = await child.exited;
  if (child.signalCode !== null) await prefix.reopen();
  const output = (await written.text()).replaceAll("\r\n", "\n");
  const passed = count(output, "pass");
  const known = count(output, "fail");
  const failed = code !== 0 && known === 0 ? 1 : known;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const line = `${files.join(" ")}: ${passed} pass, ${failed} fail, ${seconds} s`;
  return {
    passed,
    failed,
    skips: skipsIn(output),
    // Its own counts stay out, for the last ones of a run are those of all groups.
    shown: failed === 0 ? line : `${line}, ended with ${child.signalCode ?? code}\n${indented(output)}`,
  };
}

function indented(text: string): string {
  return text.replace(/^/gm, "| ");
}

function count(output: string, word: "pass" | "fail"): number {
  return Number(output.match(new RegExp(`^ *(\\d+) ${word}$`, "m"))?.[1] ?? 0);
}
