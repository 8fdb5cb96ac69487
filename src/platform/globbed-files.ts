// The files that a pattern matches below a directory, as far as the file system says.
import { kindAt } from "./files.ts";
import { join } from "./paths.ts";

/**
 * Their paths relative to the directory, in no order; hidden ones too. A link to a file counts as a file; a link to a
 * directory is followed only where the pattern names it, so that no circle of links matters.
 */
export function* globbedFiles(directory: string, pattern: string): Generator<string> {
  const found = new Bun.Glob(pattern).scanSync(howIn(directory));
  for (const name of found) if (kindAt(join(directory, name)) === "file") yield name;
}

/** Whether there is any of them. Bun searches the whole directory before it gives the first one, here in another thread. */
export async function isAnyGlobbed(directory: string, pattern: string): Promise<boolean> {
  const found = new Bun.Glob(pattern).scan(howIn(directory));
  for await (const name of found) if (kindAt(join(directory, name)) === "file") return true;
  return false;
}

// With `onlyFiles`, Bun leaves out links to files.
function howIn(directory: string): Bun.GlobScanOptions {
  return { cwd: directory, dot: true, onlyFiles: false, followSymlinks: false };
}
