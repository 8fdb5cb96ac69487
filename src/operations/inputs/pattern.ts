// A pattern for files as people and models write it, relative to the directory that is searched.
import { fixedPart, literalPattern } from "../../model/glob-text.ts";
import { realPath } from "../../platform/files.ts";
import { absolutePath, isAbsolute, isWithin, join, relative } from "../../platform/paths.ts";

/** `leaves`: the directory outside of the search where the pattern looks. */
export type ReadPattern = { pattern: string } | { leaves: string };

/** `directory`: absolute, with links resolved. */
export function patternIn(given: string, directory: string): ReadPattern {
  const written = (process.platform === "win32" ? given.replaceAll("\\", "/") : given).replace(
    /^(?:\.\/)+/,
    "",
  );
  // A directory means everything in it.
  const whole = written === "" || written === "." ? "**" : written.replace(/\/+$/, "/**");
  const isRelative = !whole.startsWith("~") && !isAbsolute(whole) && !whole.split("/").includes("..");
  const { directory: fixed, rest } = fixedPart(whole);
  const start = realPath(absolutePath(fixed === "" && !isRelative ? "/" : fixed, directory));
  // A link that the pattern names is followed, to where it leads; a search follows none.
  if (isRelative && start === join(directory, fixed)) return { pattern: whole };
  if (!isWithin(start, directory) || rest.split("/").includes("..")) return { leaves: start };
  const inside = relative(directory, start).replaceAll("\\", "/");
  return { pattern: inside === "" ? rest : `${literalPattern(inside)}/${rest}` };
}

/** The same pattern, wherever it is used. */
export function patternFrom(given: string, directory: string): string {
  const bare = given.startsWith("!") ? given.slice(1) : given;
  const start = directory.replaceAll("\\", "/");
  const absolute = bare.startsWith("~") || isAbsolute(bare) ? bare : `${literalPattern(start)}/${bare}`;
  return bare === given ? absolute : `!${absolute}`;
}
