// How this program starts itself, and which variables its own processes must not inherit.
// Bun has no call that resolves links.
import { realpathSync } from "node:fs";

/** The command that starts this program: the compiled executable, or Bun with the source. */
export function selfCommand(): string[] {
  return isCompiled(Bun.main) ? [process.execPath] : [process.execPath, Bun.main];
}

/** Whether this file is the entry point of a compiled executable, which is in Bun's virtual file system. */
export function isCompiled(main: string): boolean {
  return main.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN[\\/]/i.test(main);
}

/**
 * A command for other programs to start this one, now and later. Names the package runner if it fetched us, because its
 * cache may be cleared.
 */
export function lastingCommand(
  packageName: string,
  main = Bun.main,
  executable = process.execPath,
): string[] {
  const bun = realpathSync(process.execPath);
  // From source, the executable is Bun, wherever it was fetched to.
  const at = (isCompiled(main) ? executable : main).replaceAll("\\", "/");
  if (/\/bunx-\d+-/.test(at)) return [bun, "x", packageName];
  if (at.includes("/_npx/")) {
    const npx = ["npx", "-y", packageName];
    // On Windows npx is a batch file, which only a shell can start.
    return process.platform === "win32" ? ["cmd", "/c", ...npx] : npx;
  }
  const [, ...others] = selfCommand();
  return [bun, ...others.map((path) => realpathSync(path))];
}

/** Every Bun executable obeys these, ours and `claude` alike. */
export function isBunVariable(name: string): boolean {
  return name.startsWith("BUN_") || name === "NODE_OPTIONS";
}
