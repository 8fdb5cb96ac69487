// Paths as people and models write them. Expands what a shell would, or refuses it: otherwise it would become a directory
// of that name.
import { isJsonText } from "../claude/settings-file.ts";
import { isThere } from "../platform/files.ts";
import { absolutePath } from "../platform/paths.ts";
import { asWindowsHasIt, unusableOnWindows } from "./windows-path.ts";

export type ReadPath = { path: string } | { fault: string };

/** Most bytes of one name, and of a path, on any system. If a system takes fewer, such a path does not exist. */
const mostNameBytes = 255;
const mostPathBytes = 4_096;

/** The absolute path that was meant, or what is wrong with it; the fault does not repeat `given`. */
export function readPath(given: string, from: string): ReadPath {
  const ofHome = given.replace(/^\$(?:HOME|\{HOME\})(?=$|[/\\])/, "~");
  const expanded = process.platform === "win32" ? asWindowsHasIt(ofHome) : ofHome;
  const written = expanded.startsWith("file:") ? pathOfUrl(expanded) : expanded;
  if (written === undefined) return { fault: "is the address of a file on another machine; write its path" };
  if (written.includes("\0")) return { fault: "contains a NUL character, which no path can hold" };
  const fault = faultOf(written);
  if (fault !== undefined) return { fault };
  const path = absolutePath(written, from);
  if (Buffer.byteLength(path) > mostPathBytes || path.split(/[/\\]/).some(isLong))
    return { fault: `is longer than a path may be (${mostNameBytes} bytes a name, ${mostPathBytes} in all)` };
  const unusable = process.platform === "win32" ? unusableOnWindows(path) : undefined;
  if (unusable !== undefined) return { fault: unusable };
  const unexpanded = unexpandedIn(written);
  // A directory of exactly that name may have been created on purpose.
  if (unexpanded !== undefined && !isThere(path))
    return { fault: `contains ${unexpanded}, and only ~ and $HOME are expanded; write the path` };
  return { path };
}

/** The absolute path. JSON, and what is no path, stays as given: a later check reports it. */
export function pathAsMeant(given: string, from: string): string {
  if (given === "" || isJsonText(given)) return given;
  const read = readPath(given, from);
  return "path" in read ? read.path : given;
}

function isLong(name: string): boolean {
  return Buffer.byteLength(name) > mostNameBytes;
}

function faultOf(written: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(written)) return "is an address; expected a path";
  if (process.platform !== "win32" && /^(?:[A-Za-z]:[\\/]|\\\\)/.test(written))
    return "is a path of Windows, and this is another system; under WSL, drive C is /mnt/c";
  const [first = ""] = written.split(/[/\\]/);
  if (/^~[^/\\]/.test(first))
    return `begins with ${first}, which is not expanded; write the path of that home directory, or ./${first} for a name`;
  return undefined;
}

// A variable or a command of a shell, anywhere in a name: `out-$USER`, `run-$(date +%F)`.
function unexpandedIn(written: string): string | undefined {
  const ofShell = /\$\{[^}]*\}|\$\([^)]*\)|`[^`]*`|\$[A-Z_][A-Z0-9_]*(?![a-z])/.exec(written)?.[0];
  return ofShell ?? written.split(/[/\\]/).find((name) => /^%\w+%$/.test(name));
}

// `file:///home/me/a%20b` and `file://localhost/…`; what cannot be parsed stays as it is and is refused as an address.
function pathOfUrl(text: string): string | undefined {
  try {
    const { host, pathname } = new URL(text);
    if (host !== "" && host !== "localhost") return undefined;
    const path = decodeURIComponent(pathname);
    return process.platform === "win32" ? path.replace(/^\/(?=[A-Za-z]:)/, "") : path;
  } catch {
    return text;
  }
}
