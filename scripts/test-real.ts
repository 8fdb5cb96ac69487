// `bun run test:real [--except NAME,…] [ARGUMENT …]`: tests with the real `claude` of `REAL_CLAUDE_VERSION`, and a stand-in
// for its API on loopback. Gets it first, so that the two files that run at a time do not both do it. `--except advice,reach`
// leaves these two files out. `--wine [NAME …]` runs some of them with the one for Windows, under Wine.
import { join } from "node:path";
import { installRealClaude, RealClaudeUnavailable } from "./real-claude.ts";
import { testRealUnderWine } from "./wine/real.ts";

const root = join(import.meta.dir, "..");

/** At most six sessions start at once in a file: twenty on two processors run into their own time limits. */
export const realTestFlags = ["--max-concurrency=6"];

if (import.meta.main && process.argv[2] === "--wine") {
  process.exitCode = await testRealUnderWine(process.argv.slice(3));
} else if (import.meta.main) {
  try {
    await installRealClaude();
  } catch (error) {
    // The tests say so themselves where they are skipped.
    if (!(error instanceof RealClaudeUnavailable)) throw error;
  }
  const [first, left, ...others] = process.argv.slice(2);
  const except = first === "--except" ? (left ?? "").split(",").map((name) => `${name}.real.ts`) : [];
  const names = [...new Bun.Glob("*.real.ts").scanSync({ cwd: join(root, "test/real") })].sort();
  const unknown = except.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`There is no test/real/${unknown.join(", ")}.`);
  const files = names.filter((name) => !except.includes(name));
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      "--parallel=2",
      ...realTestFlags,
      ...files.map((name) => `./test/real/${name}`),
      ...(except.length === 0 ? process.argv.slice(2) : others),
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  process.exitCode = await child.exited;
}
