// `bun run test [FILE …]`: the tests, with the program and the fake `claude` compiled. `bun test` runs a file with the source.
// With `--as-delivered`: the files directly in `test/` to which the configuration matters, once more with the default one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileForTests } from "./test-programs.ts";

const root = join(import.meta.dir, "..");

/**
 * What users meet first, and what depends on how many sessions run at once and on the first one, which proves the login:
 * doors on stdio and on the command line, batches, retries, hand-overs. The other files test what is refused, how things are
 * worded, what sessions leave behind, and faults.
 */
const asDelivered = ["cli", "door", "killed", "results", "retry", "sessions", "stdio-transport", "tasks"].map(
  (name) => `./test/${name}.test.ts`,
);

const [first, ...rest] = process.argv.slice(2);
const defaults = first === "--as-delivered";
const args = defaults ? [...asDelivered, ...rest] : process.argv.slice(2);

const folder = mkdtempSync(join(tmpdir(), "pccm-tests-"));
try {
  const compiled = await compileForTests(folder);
  // Four files at a time: tests wait a lot, and three leave two processors idle for a third of the time.
  const child = Bun.spawn([process.execPath, "test", "--timeout", "180000", "--parallel=4", ...args], {
    cwd: root,
    env: { ...process.env, ...compiled, ...(defaults ? { TEST_AS_DELIVERED: "1" } : {}) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.exitCode = await child.exited;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
