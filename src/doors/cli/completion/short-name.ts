// Whether the short name is ours on this machine. A C compiler has it as well, which a shell must not ask for our completions.
import { product } from "../../../model/product.ts";
import { readHead, realPath } from "../../../platform/files.ts";
import { dirname, join } from "../../../platform/paths.ts";
import { programNamed } from "../../../platform/program.ts";

/** Longer than the scripts that stand for a program on Windows. */
const mostBytes = 4_000;

/** Whether the first program of that name on the PATH is this one, as installed with our other names. */
export function hasShortName(searched = process.env["PATH"]): boolean {
  const found = programNamed(product.shortName, "/", searched);
  if (found === undefined) return false;
  // On Windows, where nothing links, a script starts the program.
  if (process.platform === "win32") return readHead(found, mostBytes)?.includes(product.name) ?? false;
  const beside = programNamed(join(dirname(found), product.name), "/");
  return beside !== undefined && realPath(beside) === realPath(found);
}
