// The files that instructions import by `@path`, as CLAUDE.md files do.
import { readSmallFile } from "../platform/files.ts";
import { absolutePath, dirname } from "../platform/paths.ts";
import { mentionsIn } from "./mention-scan.ts";

/** Longer instructions are not searched, in bytes. */
const mostBytes = 1_000_000;

/**
 * The absolute paths that a file of instructions may import, whether they exist or not. Claude Code leaves out those in
 * code blocks, which count here too: it only means that a change in such a file counts.
 */
export function importsOf(path: string): string[] {
  const read = readSmallFile(path, mostBytes);
  if (read.kind !== "bytes") return [];
  const text = new TextDecoder().decode(read.bytes);
  return [...mentionsIn(text)]
    .filter(({ name, isAgent }) => name !== "" && !isAgent)
    .map(({ name }) => absolutePath(name.split("#")[0] ?? "", dirname(path)));
}
