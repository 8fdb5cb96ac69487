// `bun run test:executable`: the tests of doors, commands and batches once more, with the compiled, minified executable
// and the default configuration, as users have them: `concurrency` is found out, and the first session proves the login.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build, executable } from "./build.ts";

const root = join(import.meta.dir, "..");
/**
 * Two compile the program for themselves. The others take long, and test what a compiled program does in no other way:
 * documents, the store and the disk, the pace, which tasks wait for what.
 */
const leftOut: ReadonlySet<string> = new Set([
  "docs-first-batch.test.ts",
  "executable.test.ts",
  "advice-followed.test.ts",
  "disk.test.ts",
  "docs-recipes.test.ts",
  "docs.test.ts",
  "held.test.ts",
  "limits.test.ts",
  "locked-store.test.ts",
  "removed-state.test.ts",
  "stalled-disk.test.ts",
  "starts.test.ts",
  "usage-limits.test.ts",
]);
/** How a test file gets the program: through one of the harnesses. */
const startsIt = /from "\.\/(?:harness|raw-client|cli-harness|pty-harness)\.ts"/;
const folder = mkdtempSync(join(tmpdir(), "pccm-executable-"));
try {
  const program = join(folder, basename(executable));
  await build(program);
  const child = Bun.spawn(
    [process.execPath, "test", "--timeout", "60000", "--parallel=2", ...(await filesThatRunIt())],
    { cwd: root, env: { ...process.env, TEST_EXECUTABLE: program }, stdio: ["ignore", "inherit", "inherit"] },
  );
  process.exitCode = await child.exited;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function filesThatRunIt(): Promise<string[]> {
  const names = [...new Bun.Glob("*.test.ts").scanSync({ cwd: join(root, "test") })].sort();
  const sources = await Promise.all(names.map((name) => Bun.file(join(root, "test", name)).text()));
  return names
    .filter((name, index) => !leftOut.has(name) && startsIt.test(sources[index] ?? ""))
    .map((name) => `./test/${name}`);
}
