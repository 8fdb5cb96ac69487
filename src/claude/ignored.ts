// Which folders a search of Claude Code's certainly leaves out, because git ignores them.
import { exists, readSmallFile } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";

/** Files that decide what a search leaves out. */
export const alwaysSearched: readonly string[] = [".gitignore", ".ignore", ".rgignore"];

const mostBytes = 1_000_000;

/** Folders that are worth the question: large ones that are usually ignored. */
const usual = new Set([
  ".cache",
  ".gradle",
  ".next",
  ".nuxt",
  ".pnpm-store",
  ".tox",
  ".venv",
  ".yarn",
  "__pycache__",
  "bower_components",
  "build",
  "coverage",
  "dist",
  "node_modules",
  "out",
  "target",
  "vendor",
  "venv",
]);

/**
 * Whether a search below `directory` leaves out the folder `name`: only if a plain line of a `.gitignore` says so, in a
 * repository, and no file could say otherwise. False if in doubt.
 */
export function isIgnored(directory: string, name: string): boolean {
  if (!usual.has(name)) return false;
  let isNamed = false;
  for (let at = directory; ; at = dirname(at)) {
    if (exists(join(at, ".ignore")) || exists(join(at, ".rgignore"))) return false;
    const lines = linesOf(join(at, ".gitignore"));
    if (!lines || lines.some((line) => line.startsWith("!"))) return false;
    const plain = [name, `${name}/`, `**/${name}`, `**/${name}/`];
    if (at === directory) plain.push(`/${name}`, `/${name}/`);
    isNamed ||= lines.some((line) => plain.includes(line));
    if (exists(join(at, ".git"))) return isNamed;
    if (dirname(at) === at) return false;
  }
}

// Undefined if it cannot be read.
function linesOf(path: string): string[] | undefined {
  const read = readSmallFile(path, mostBytes);
  if (read.kind === "nothing") return [];
  if (read.kind === "unreadable") return undefined;
  return new TextDecoder()
    .decode(read.bytes)
    .split(/\r?\n/)
    .map((line) => line.trimEnd());
}
