// What lets a session reach a file outside of its directories.
import { kindAt } from "../platform/files.ts";
import { absolutePath, dirname, isWithin } from "../platform/paths.ts";
import { allowedDirectories, type CallContext } from "./call-context.ts";

/** A directory to add, or a rule; neither for a file that lies in the session's directories. */
export interface FileAccess {
  directory?: string;
  rule?: string;
}

/**
 * What is needed to read or write at `path`: the directory that it lies in. A directory that does not exist cannot
 * be added, so that a rule takes its place.
 */
export function accessTo(path: string, kind: "read" | "write", context: CallContext): FileAccess {
  const absolute = absolutePath(path, context.workingDirectory);
  if (allowedDirectories(context).some((root) => isWithin(absolute, root))) return {};
  const directory = isDirectory(absolute) ? absolute : dirname(absolute);
  if (isDirectory(directory)) return { directory };
  // `//` is the root of the file system; a single slash would be the session's own directory.
  return { rule: `${kind === "read" ? "Read" : "Edit"}(/${directory}/**)` };
}

// The path is what a model wrote: it may be too long, or hold what no path can.
function isDirectory(path: string): boolean {
  try {
    return kindAt(path) === "directory";
  } catch {
    // What cannot be looked at cannot be added either.
    return false;
  }
}
