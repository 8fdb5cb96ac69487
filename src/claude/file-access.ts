// What allows a session to reach a file outside of its directories.
import { isPlain, ruleOf } from "../model/rule-text.ts";
import { isDirectory } from "../platform/files.ts";
import { absolutePath, dirname, isWithin } from "../platform/paths.ts";
import { allowedDirectories, type CallContext } from "./call-context.ts";

/** What reaching a path requires: nothing, a rule, a directory to add, or something that no narrow option gives. */
export type FileAccess =
  | { kind: "allowed" }
  | { kind: "rule"; rule: string }
  | { kind: "directory"; directory: string }
  | { kind: "unnameable" };

/** Characters with another meaning in a path pattern. */
const special = /[*?[\]{}!\\]/;

/**
 * What reading or writing at `path` requires: the rule for exactly this path, or, for a directory or a pattern, for
 * everything below. If no rule can name it, its parent directory. `Read` rules also allow `cat`; `Edit` rules also allow
 * `touch` and redirections (seen on 2.1.197 and 2.1.332).
 */
export function accessTo(path: string, kind: "read" | "write", context: CallContext): FileAccess {
  const pattern = kind === "read" ? path.search(/[*?[]/) : -1;
  const base = pattern < 0 ? path : path.slice(0, path.lastIndexOf("/", pattern) + 1) || ".";
  const absolute = absolutePath(base, context.workingDirectory);
  if (allowedDirectories(context).some((root) => isWithin(absolute, root))) return { kind: "allowed" };
  // No rule allows listing the root of the file system.
  if (dirname(absolute) === absolute) return { kind: "unnameable" };
  const isBelow = kind === "read" && (pattern >= 0 || isDirectory(absolute));
  // `//` is the root of the file system; a single slash would be the session's directory.
  const inRules = pathInRules(absolute);
  const named = inRules.startsWith("/") && !special.test(inRules) ? `/${inRules}` : undefined;
  const rule = named && ruleOf(kind === "read" ? "Read" : "Edit", isBelow ? `${named}/**` : named);
  if (rule) return { kind: "rule", rule };
  const directory = isDirectory(absolute) ? absolute : dirname(absolute);
  const isRoot = dirname(directory) === directory;
  return isPlain(directory) && !isRoot && isDirectory(directory)
    ? { kind: "directory", directory }
    : { kind: "unnameable" };
}

/** An absolute path as rules name it. Claude Code compares paths of Windows in another form: `C:\\x` as `/c/x`. */
export function pathInRules(absolute: string): string {
  const [, drive, rest = ""] = /^([A-Za-z]):(\\.*)$/s.exec(absolute) ?? [];
  return drive === undefined ? absolute : `/${drive.toLowerCase()}${rest.replaceAll("\\", "/")}`;
}
