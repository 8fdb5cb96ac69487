// Which test files run in one process: starting one costs a second, but what hangs or crashes takes its whole group along.
import { dirname, join } from "node:path";
import { filesBelow } from "../../test/files-below.ts";

const test = join(import.meta.dir, "..", "..", "test");

/** All test files, as paths from `test/`, sorted. */
export function testFiles(): string[] {
  return filesBelow(test, ".test.ts").sort();
}

/** Files directly in `test/` start whole programs, which takes long; those in folders mostly do not. */
const mostTogether = { above: 2, inFolders: 8 } as const;

/** The files in groups of one folder each; those that take the longest first, so that both workers end together. */
export function groupsOf(files: readonly string[]): string[][] {
  const byFolder = Map.groupBy(files, dirname);
  const groups = [...byFolder].flatMap(([folder, files]) =>
    chunks(files, folder === "." ? mostTogether.above : mostTogether.inFolders),
  );
  return groups.sort((a, b) => weight(b) - weight(a));
}

const weight = ([first = ""]: readonly string[]): number =>
  ["engine", "doors", "."].indexOf(dirname(first)) + (dirname(first) === "." ? 1 : 0);

function chunks(files: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(files.length / size) }, (_, index) =>
    files.slice(index * size, (index + 1) * size),
  );
}
