// How this program starts itself again, and what its own processes must not inherit.

/** The command that starts this program: the compiled executable, or Bun with the source. */
export function selfCommand(): string[] {
  // In a compiled executable the entry point lies in Bun's virtual file system.
  const compiled = Bun.main.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN[\\/]/i.test(Bun.main);
  return compiled ? [process.execPath] : [process.execPath, Bun.main];
}

/** Any Bun executable obeys these, ours and `claude` alike. */
export function isBunVariable(name: string): boolean {
  return name.startsWith("BUN_") || name === "NODE_OPTIONS";
}
