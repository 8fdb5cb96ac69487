// `bun run test:wine [FILE … | --slow]`: the tests as a program of Windows, by Wine on Linux: Bun for Windows runs them, with our
// program and the fake `claude` compiled for Windows. `--slow` runs those that are left out for their time. It prints what ran,
// what did not and why, and ends with the counts of `bun test`. In CI on Debian, Wine must be had. Elsewhere, without it, nothing
// runs.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { exceptions } from "../test/wine/exceptions.ts";
import { compileForTests } from "./test-programs.ts";
import { skipsText, sumOf } from "./verify/skips.ts";
import { canUseWine } from "./wine/can-use-wine.ts";
import { groupsOf, testFiles } from "./wine/groups.ts";
import { makePrefix, WinePrefix } from "./wine/prefix.ts";
import { type GroupResult, runGroup } from "./wine/run-group.ts";
import { isLackUnderWine, table } from "./wine/table.ts";

/** More would only wait for one another: one wineserver answers all calls of a prefix. */
const workers = Math.min(2, cpus().length);

/** How long a file may take that is left out for its time. */
const slowMs = 1_800_000;

const began = performance.now();
if (!(await canUseWine("Nothing was tested under Wine"))) {
  const isRequired = Boolean(process.env["CI"]) && Bun.which("apt-get") !== null && process.arch === "x64";
  process.exit(isRequired ? 1 : 0);
}

const folder = mkdtempSync(join(tmpdir(), "pccm-wine-"));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void stop());
try {
  process.exitCode = await testIn(folder);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

// Programs under Wine belong to its server, and outlive who started them: they would go on, at a core each.
async function stop(): Promise<never> {
  const prefixes = readdirSync(folder).filter((name) => name.startsWith("prefix-"));
  await Promise.all(prefixes.map((name) => new WinePrefix(join(folder, name)).close()));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit(1);
}

async function testIn(folder: string): Promise<number> {
  const all = testFiles();
  const given = process.argv.slice(2);
  const isSlow = given[0] === "--slow";
  const chosen = isSlow ? all.filter((file) => "slow" in (exceptions[file] ?? {})) : given;
  const run = all.filter((file) => !Object.hasOwn(exceptions, file));
  const files = chosen.length > 0 ? chosen.map((file) => file.replace(/^(\.\/)?test\//, "")) : run;
  const groups = isSlow ? files.map((file) => [file]) : groupsOf(files);
  const [compiled] = await Promise.all([
    compileForTests(folder, "bun-windows-x64-baseline"),
    makePrefix(join(folder, "prefix-0")),
  ]);
  const results: GroupResult[] = [];
  const work = async (number: number): Promise<void> => {
    const prefix = await WinePrefix.openCopy(folder, number);
    try {
      for (let group = groups.shift(); group; group = groups.shift()) {
        const result = await runGroup(prefix, group, compiled, isSlow ? { groupMs: slowMs } : {});
        console.log(result.shown);
        results.push(result);
      }
    } finally {
      await prefix.close();
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, number) => work(number)));
  const skips = results.map(({ skips }) => skips).reduce(sumOf, new Map());
  const unexpected = [...skips].filter(([reason]) => !isLackUnderWine(reason));
  for (const [reason, count] of unexpected)
    console.log(`${count} tests must not be skipped here: ${reason}.`);
  const passed = sum(results, "passed");
  const failed = unexpected.reduce((total, [, count]) => total + count, sum(results, "failed"));
  if (chosen.length === 0) console.log(table({ all, run, exceptions }));
  console.log(
    `\nUnder Wine, in ${((performance.now() - began) / 1000).toFixed(0)} s; ${skipsText(skips) || "none skipped"}`,
  );
  console.log(` ${passed} pass\n ${failed} fail`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function sum(results: readonly GroupResult[], key: "passed" | "failed"): number {
  return results.reduce((total, one) => total + one[key], 0);
}
