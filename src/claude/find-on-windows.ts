// What a directory of Windows has of `claude`: the program itself, or a batch file that starts it.
import { isExecutable, readHead, readSmallFile, realPath } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";

export type OnWindows = { kind: "program"; path: string } | { kind: "batch file"; path: string };

/** The `claude` in a directory; undefined if there is none. */
export function claudeOnWindows(directory: string): OnWindows | undefined {
  const programs = [join(directory, "claude.exe"), ...behindBatchFile(join(directory, "claude.cmd"))];
  const path = programs.find(isClaude);
  if (path !== undefined) return { kind: "program", path };
  const batchFile = batchFiles.map((name) => join(directory, name)).find(isExecutable);
  return batchFile === undefined ? undefined : { kind: "batch file", path: batchFile };
}

const batchFiles = ["claude.cmd", "claude.bat"];

/** Whether a path names a batch file. Windows passes its command line to a shell, which cuts it at 8,191 characters. */
export function isBatchFile(path: string): boolean {
  return /\.(?:cmd|bat)$/i.test(path);
}

/** Longer batch files are not package managers', in bytes. */
const mostBytes = 10_000;

// Package managers write a batch file that names the program relative to itself. Where a package's own script could not
// run, the program is only in the package of its platform.
function behindBatchFile(path: string): string[] {
  const file = readSmallFile(path, mostBytes);
  if (file.kind !== "bytes") return [];
  const text = new TextDecoder().decode(file.bytes);
  const named = [...text.matchAll(/"%(?:~dp0|dp0%)\\?([^"%]+\.exe)"/gi)].map(([, within = ""]) =>
    join(dirname(path), ...within.split("\\")),
  );
  return named.flatMap((program) => [program, ...platformPackages(dirname(dirname(program)))]);
}

function platformPackages(packageDirectory: string): string[] {
  const names = ["x64", "arm64"].map((processor) => `claude-code-win32-${processor}`);
  const own = process.arch === "arm64" ? names.reverse() : names;
  const places = [join(packageDirectory, "node_modules", "@anthropic-ai"), dirname(packageDirectory)];
  return places.flatMap((place) => own.map((name) => join(place, name, "claude.exe")));
}

// Claude Desktop's program has the same name. As a packaged application, it puts a link of no bytes on the PATH, which
// starts it.
function isClaude(path: string): boolean {
  if (/[\\/]AnthropicClaude[\\/]/i.test(realPath(path))) return false;
  try {
    // Without it, it is what npm's package has before its script has put the program there.
    return isExecutable(path) && readHead(path, 2, { followsLinks: true }) === "MZ";
  } catch {
    // Such a link cannot be read.
    return false;
  }
}
