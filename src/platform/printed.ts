// What files of ours print when the program is built. `printedBy` is a macro: an import `with { type: "macro" }` gets the
// text instead of the call, from source or compiled. A macro may neither bundle within the bundling process nor import
// what has a macro in it, so the file runs as a program of its own.

/** `path`: of the file, from `src/`. Throws what the file says if it fails. */
export function printedBy(path: string): string {
  const { stdout, stderr, success } = Bun.spawnSync([process.execPath, `${import.meta.dir}/../${path}`], {
    // Ignores any `bunfig.toml` or `.env` in the caller's directory.
    cwd: import.meta.dir,
  });
  if (!success) throw new Error(`Internal error: src/${path} cannot be run.\n${stderr}`);
  return stdout.toString();
}
