// What `.gitignore` files exclude, in a repository and outside of one: those of a directory count for everything below it. In
// a repository, also what the user excludes from all of them.
import ignore, { type Ignore } from "ignore";
import { gitEnvironment, gitProgram } from "../../git/git.ts";
import { isThere, readSmallFile } from "../../platform/files.ts";
import { absolutePath, dirname, homeDirectory, join, relative } from "../../platform/paths.ts";

/** More cannot be rules, in bytes. */
const mostBytes = 1_000_000;

/** The rules of one file, and those of the files above it, which count where it says nothing. */
export interface IgnoreRules {
  /** Whether a path, relative to the search, is excluded. Its directories were asked before it. */
  excludes(path: string, isFolder: boolean): boolean;
}

/** The rules in force in the directory where a search begins. */
export function rulesAbove(directory: string): IgnoreRules | undefined {
  const top = topOf(directory);
  if (top === undefined) return undefined;
  const inside = slashed(relative(top, directory));
  // The user's own rules count least, then those of this copy of the repository.
  const own = rulesIn(usersFile(directory), inside);
  let rules = rulesIn(join(top, ".git", "info", "exclude"), inside, own) ?? own;
  // In a repository, the files from its top on.
  for (const above of foldersBetween(top, directory))
    rules = rulesIn(join(above, ".gitignore"), slashed(relative(above, directory)), rules) ?? rules;
  return rules;
}

/** The rules in a directory of the search (`path`, relative to it; "" is the search's own), if it has a file of them. */
export function rulesBelow(
  directory: string,
  path: string,
  outer: IgnoreRules | undefined,
): IgnoreRules | undefined {
  const file = join(directory, path, ".gitignore");
  const own = textOf(file);
  return own === undefined
    ? outer
    : ruled(own, (asked) => (path === "" ? asked : asked.slice(path.length + 1)), outer);
}

// `inside`: the directory of the search, as the file sees it.
function rulesIn(file: string, inside: string, outer?: IgnoreRules): IgnoreRules | undefined {
  const own = textOf(file);
  return own === undefined
    ? undefined
    : ruled(own, (asked) => (inside === "" ? asked : `${inside}/${asked}`), outer);
}

function ruled(text: string, seen: (path: string) => string, outer: IgnoreRules | undefined): IgnoreRules {
  // Git asks the file system whether case matters.
  const rules: Ignore = ignore({ ignorecase: process.platform !== "linux" }).add(text);
  return {
    excludes: (path, isFolder) => {
      const { ignored, unignored } = rules.test(`${seen(path)}${isFolder ? "/" : ""}`);
      if (ignored) return true;
      return unignored ? false : (outer?.excludes(path, isFolder) ?? false);
    },
  };
}

/** How long git may take to say where the file is, in milliseconds. */
const mostMs = 5_000;

// The file of rules for all repositories of this user, `core.excludesFile`, wherever that is set.
function usersFile(directory: string): string {
  const { XDG_CONFIG_HOME } = process.env;
  const usual = join(XDG_CONFIG_HOME || join(homeDirectory(), ".config"), "git", "ignore");
  const program = gitProgram();
  // Without git, nobody has set another one.
  if (program === undefined) return usual;
  try {
    const asked = Bun.spawnSync([program, "config", "--type=path", "--get", "core.excludesFile"], {
      cwd: directory,
      env: gitEnvironment("nothing"),
      stdin: "ignore",
      stderr: "ignore",
      windowsHide: true,
      timeout: mostMs,
    });
    const path = asked.success ? asked.stdout.toString().trim() : "";
    return path === "" ? usual : absolutePath(path, directory);
  } catch {
    // It cannot be started, so it excludes nothing.
    return usual;
  }
}

/** The top directory of the repository around a directory; undefined outside of one. */
function topOf(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    if (isThere(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

// From the top to the directory's parent.
function foldersBetween(top: string, directory: string): string[] {
  const folders: string[] = [];
  for (let at = directory; at !== top; ) {
    at = dirname(at);
    folders.unshift(at);
  }
  return folders;
}

function textOf(file: string): string | undefined {
  const read = readSmallFile(file, mostBytes);
  return read.kind === "bytes" ? new TextDecoder().decode(read.bytes) : undefined;
}

function slashed(path: string): string {
  return path.replaceAll("\\", "/");
}
