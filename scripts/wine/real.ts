// The real `claude` for Windows under Wine, with our program for Windows and a stand-in for the API: a selection of its tests.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installWindowsClaude } from "../real-claude.ts";
import { compileForTests } from "../test-programs.ts";
import { skipsText, sumOf } from "../verify/skips.ts";
import { canUseWine } from "./can-use-wine.ts";
import { makePrefix, WinePrefix } from "./prefix.ts";
import { type GroupResult, runGroup } from "./run-group.ts";

/**
 * Answers, commands where there is a shell, API errors, interrupts, continued conversations, costs, and our own program with all of
 * them. The longest first.
 */
const selection = ["executable", "continue", "money", "endings"];

/** Starting it takes Wine two to seven seconds, and each test starts several. */
const fileMs = 900_000;

/** Runs these files, or the selection, two at a time; gives the exit status. */
export async function testRealUnderWine(names: readonly string[]): Promise<number> {
  if (!(await canUseWine("The real claude was not tested under Wine"))) return 1;
  const { cache, version } = await installWindowsClaude();
  console.log(`claude ${version} for Windows`);
  const folder = mkdtempSync(join(tmpdir(), "pccm-wine-"));
  try {
    const [compiled] = await Promise.all([
      compileForTests(folder, "bun-windows-x64-baseline"),
      makePrefix(join(folder, "prefix-0")),
    ]);
    const left = [...(names.length > 0 ? names : selection)];
    const results: GroupResult[] = [];
    const work = async (number: number): Promise<void> => {
      const prefix = await WinePrefix.openCopy(folder, number);
      const variables = { REAL_CLAUDE_VERSION: version, REAL_CLAUDE_CACHE: prefix.pathOf(cache) };
      try {
        for (let name = left.shift(); name !== undefined; name = left.shift()) {
          const how = { variables, groupMs: fileMs };
          const result = await runGroup(prefix, [`real/${name}.real.ts`], compiled, how);
          console.log(result.shown);
          results.push(result);
        }
      } finally {
        await prefix.close();
      }
    };
    await Promise.all([work(0), work(1)]);
    const sum = (key: "passed" | "failed") => results.reduce((total, one) => total + one[key], 0);
    const skips = results.map(({ skips }) => skips).reduce(sumOf, new Map());
    console.log(`\n${skipsText(skips) || "None skipped"}`);
    console.log(` ${sum("passed")} pass\n ${sum("failed")} fail`);
    return sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
