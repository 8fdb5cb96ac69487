// A PATH as it is on another machine: with the programs of this one, but for some.
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fakeDirectory } from "../../../test/harness.ts";

/** JavaScript runtimes, and what they bring along. */
const runtimes = {
  bun: ["bun", "bunx"],
  node: ["node", "nodejs", "npm", "npx", "corepack", "yarn", "yarnpkg", "pnpm", "pnpx"],
};

/** A PATH in which of all JavaScript runtimes only these are found, and beside them a stand-in for `claude`. */
export function pathWith(folder: string, ...present: (keyof typeof runtimes)[]): string {
  mkdirSync(folder, { recursive: true });
  const left = new Set(Object.values(runtimes).flat());
  for (const runtime of present) for (const name of runtimes[runtime]) left.delete(name);
  const link = (target: string, name: string) => {
    if (left.has(name)) return;
    left.add(name);
    symlinkSync(target, join(folder, name));
  };
  // The bun that runs us, wherever it is: it may be a package's, and not on the PATH at all.
  for (const name of runtimes.bun) link(process.execPath, name);
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of entriesOf(directory)) link(join(directory, name), name);
  }
  return [fakeDirectory, folder].join(delimiter);
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // A PATH may name directories that do not exist.
    return [];
  }
}
