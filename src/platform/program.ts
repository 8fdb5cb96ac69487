// Finds a program as a shell would, but never in the current directory.
import { isExecutable } from "./files.ts";
import { absolutePath, isAbsolute, pathListSeparator } from "./paths.ts";

/**
 * The path of a program. A name is looked up on `searched`, a list as in PATH whose relative entries are skipped; a path
 * starts at `from`. Undefined if it is not there, or is not executable.
 */
export function programNamed(name: string, from: string, searched = ""): string | undefined {
  if (/[\\/]/.test(name)) {
    const path = absolutePath(name, from);
    return isExecutable(path) ? path : undefined;
  }
  const folders = searched.split(pathListSeparator).filter((folder) => isAbsolute(folder));
  return Bun.which(name, { PATH: folders.join(pathListSeparator) }) ?? undefined;
}
