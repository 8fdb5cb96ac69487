// The files below a directory that match patterns, without those that `.gitignore` excludes.
import { fixedPart } from "../../model/glob-text.ts";
import { kindAt } from "../../platform/files.ts";
import { contentsOf } from "../../platform/folders.ts";
import { join } from "../../platform/paths.ts";
import { type IgnoreRules, rulesAbove, rulesBelow } from "./ignored-files.ts";

/** Where to search, and for what. Patterns are relative to the directory, with `/`. */
export interface Search {
  /** Absolute, with links resolved. */
  directory: string;
  patterns: readonly string[];
  exclude: readonly string[];
}

/** Never searched: what is in them is nobody's work. */
const neverSearched = new Set([".git", "node_modules"]);

/** No search looks at more files and directories: it would take minutes. */
export const mostEntries = 1_000_000;

/** Thrown for a search that is too large. */
export class TooManyEntries extends Error {}

/** How many files and directories to look at before others get a turn: some milliseconds. */
const entriesAtOnce = 1_000;

/**
 * The matching files, relative to the directory, in the order of their paths. Throws `TooManyEntries`. Lets others have their
 * turns meanwhile.
 */
export async function matchingFiles(search: Search): Promise<string[]> {
  const files = await found(search, (path, isFolder, rules) => rules?.excludes(path, isFolder) ?? false);
  return files.sort();
}

/** Those that only `.gitignore` excludes. Otherwise like `matchingFiles`. */
export async function ignoredFiles(search: Search): Promise<string[]> {
  return (await found(search, () => false)).sort();
}

/** Those of these paths that the patterns match, and nothing excludes. */
export function filesAmong(paths: readonly string[], { patterns, exclude }: Search): string[] {
  const matches = matcher(patterns);
  const isExcluded = matcher(exclude.flatMap(anywhere));
  return paths.filter((path) => matches(path) && !isExcluded(path));
}

type Excludes = (path: string, isFolder: boolean, rules: IgnoreRules | undefined) => boolean;

async function found({ directory, patterns, exclude }: Search, isIgnored: Excludes): Promise<string[]> {
  const reach = reachOf(patterns);
  const matches = matcher(patterns);
  const isExcluded = matcher(exclude.flatMap(anywhere));
  const files: string[] = [];
  let entries = 0;
  const open: { path: string; depth: number; rules: IgnoreRules | undefined }[] = [
    { path: "", depth: 1, rules: rulesBelow(directory, "", rulesAbove(directory)) },
  ];
  for (let folder = open.pop(); folder; folder = open.pop()) {
    const { path: around, depth, rules } = folder;
    for (const { name, isFile, isFolder, isLink } of contentsOf(join(directory, around))) {
      if (++entries > mostEntries) throw new TooManyEntries();
      if (entries % entriesAtOnce === 0) await Bun.sleep(0);
      const path = around === "" ? name : `${around}/${name}`;
      if (neverSearched.has(name) || (name.startsWith(".") && !reach.hidden)) continue;
      if (isFolder) {
        if (depth >= reach.depth || !reach.leadsTo(path)) continue;
        if (isExcluded(path) || isIgnored(path, true, rules)) continue;
        open.push({ path, depth: depth + 1, rules: rulesBelow(directory, path, rules) });
      } else if (isFile || isLink) {
        if (!matches(path) || isExcluded(path) || isIgnored(path, false, rules)) continue;
        // A link to a directory is not followed: it may lead anywhere, and around in a circle.
        if (isFile || kindAt(join(directory, path)) === "file") files.push(path);
      }
    }
  }
  return files;
}

function matcher(patterns: readonly string[]): (path: string) => boolean {
  const globs = patterns.map((pattern) => new Bun.Glob(pattern));
  return (path) => globs.some((glob) => glob.match(path));
}

// As people write exclusions: a name without a slash is excluded wherever it is, and a directory with all that is in it.
function anywhere(pattern: string): string[] {
  const bare = pattern.replace(/^\.\//, "").replace(/\/$/, "");
  const all = bare.includes("/") ? [bare] : [bare, `**/${bare}`];
  return all.flatMap((one) => [one, `${one}/**`]);
}

interface Reach {
  /** How deep a match can be: 1 is directly in the directory. */
  depth: number;
  /** Whether names that begin with a dot are searched. */
  hidden: boolean;
  /** Whether a match can be in this directory, or below it. */
  leadsTo(path: string): boolean;
}

// So that `*.md` does not search a whole home directory.
function reachOf(patterns: readonly string[]): Reach {
  const depths = patterns.map((pattern) =>
    pattern.includes("**") ? Number.POSITIVE_INFINITY : pattern.split("/").length,
  );
  const starts = patterns.map((pattern) => fixedPart(pattern).directory);
  return {
    depth: Math.max(...depths),
    hidden: patterns.some((pattern) => /(?:^|[/{,])\./.test(pattern)),
    leadsTo: (path) =>
      starts.some(
        (start) =>
          start === "" || start === path || start.startsWith(`${path}/`) || path.startsWith(`${start}/`),
      ),
  };
}
