// The files of a folder at any depth.
import { readdirSync } from "node:fs";

/** Paths from the folder, with slashes, of the files that end so. Under Wine, `Bun.Glob` stops at a folder in between. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .map((path) => path.replaceAll("\\", "/"));
}
