// The program and the fake `claude` as tests take them, compiled. Started from their source they cost three times the
// processor time, and tests start them thousands of times.
import { join } from "node:path";
import { compileKilled } from "../test/kills/compile.ts";
import { build, compile } from "./build.ts";

/** Compiles both into a folder, for this machine or another target, and gives where they are, in the variables of tests. */
export async function compileForTests(folder: string, target?: string): Promise<Record<string, string>> {
  const isForWindows = target?.startsWith("bun-windows") ?? process.platform === "win32";
  const suffix = isForWindows ? ".exe" : "";
  const program = join(folder, `parallel-claude-code-mcp${suffix}`);
  // On Windows it is what stands on PATH. Elsewhere a script does, which starts it.
  const fakeClaude = join(folder, isForWindows ? "claude.exe" : "fake-claude");
  const killed = join(folder, "killed");
  await Promise.all([
    build(program, target),
    compile("test/fixtures/fake-claude/main.ts", fakeClaude, target),
    // The tests of it run on no other machine than this one.
    target === undefined && compileKilled(killed),
  ]);
  return {
    TEST_EXECUTABLE: program,
    FAKE_CLAUDE_EXECUTABLE: fakeClaude,
    ...(target === undefined ? { TEST_KILLED_EXECUTABLE: killed } : {}),
  };
}
