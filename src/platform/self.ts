// How this program starts itself again, and what its own processes must not inherit.
// Bun has no call that resolves links.
import { realpathSync } from "node:fs";

/** The command that starts this program: the compiled executable, or Bun with the source. */
export function selfCommand(): string[] {
  return isCompiled(Bun.main) ? [process.execPath] : [process.execPath, Bun.main];
}

// In a compiled executable the entry point lies in Bun's virtual file system.
function isCompiled(main: string): boolean {
  return main.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN[\\/]/i.test(main);
}

/**
 * The command by which another program starts this one, for good: what a package runner has fetched lies in a cache,
 * so that the runner is named instead.
 */
export function lastingCommand(
  packageName: string,
  main = Bun.main,
  executable = process.execPath,
): string[] {
  const bun = realpathSync(process.execPath);
  // With the source, the executable is Bun, wherever that was fetched to.
  const at = (isCompiled(main) ? executable : main).replaceAll("\\", "/");
  if (/\/bunx-\d+-/.test(at)) return [bun, "x", packageName];
  if (at.includes("/_npx/")) {
    const npx = ["npx", "-y", packageName];
    // On Windows it is a batch file, which only a shell can start.
    return process.platform === "win32" ? ["cmd", "/c", ...npx] : npx;
  }
  const [, ...others] = selfCommand();
  return [bun, ...others.map((path) => realpathSync(path))];
}

/** Any Bun executable obeys these, ours and `claude` alike. */
export function isBunVariable(name: string): boolean {
  return name.startsWith("BUN_") || name === "NODE_OPTIONS";
}
