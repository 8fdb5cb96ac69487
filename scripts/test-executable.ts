// `bun run test:executable`: the tests of doors, commands and batches once more, with the compiled, minified executable
// and the default configuration, as users have them: `concurrency` is found out, and the first session proves the login.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build, executable } from "./build.ts";

const root = join(import.meta.dir, "..");
/**
 * Two compile the program for themselves. The others take long together, and test what does not depend on how the program
 * was built and configured: what is refused, how things are worded, documents, the store, the disk, the pace.
 */
const leftOut: ReadonlySet<string> = new Set(
  [
    ...["docs-first-batch", "executable"],
    ...[
      "advice-followed",
      "background",
      "bad-input",
      "batch-end",
      "broken-settings",
      "call-as-meant",
      "call-text",
    ],
    ...[
      "claude-version",
      "clients",
      "container",
      "disk",
      "docs",
      "docs-recipes",
      "failures-grouped",
      "flags",
      "garbage",
    ],
    ...[
      "guard",
      "half-characters",
      "held",
      "labels",
      "limits",
      "locked-store",
      "moved",
      "output",
      "output-directory",
    ],
    ...[
      "paid-faults",
      "permissions",
      "project-settings",
      "removed-state",
      "stalled-disk",
      "starts",
      "trouble",
    ],
    ...["usage-limits", "wrapped", "written-paths", "wrong-calls", "wrong-commands", "wrong-requests"],
  ].map((name) => `${name}.test.ts`),
);
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
