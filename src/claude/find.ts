// Finds the `claude` executable, even if a desktop application gave us a PATH of four directories.
import { type Environment, joined } from "../platform/environment.ts";
import { isExecutable } from "../platform/files.ts";
import { absolutePath, homeDirectory, isAbsolute, join, pathListSeparator } from "../platform/paths.ts";
import { claudeOnWindows, isBatchFile, type OnWindows } from "./find-on-windows.ts";
import { pathOfLoginShell, type Told } from "./login-shell.ts";
import { programPlaces } from "./program-places.ts";

/** `where`: how it was found, for people. `message`: what is wrong; `remedy`: what to do. */
export type FoundClaude =
  | { found: true; path: string; where: string }
  | { found: false; message: string; remedy: string };

interface Search {
  environment?: Environment;
  askShell?: boolean;
  /** How long the login shell may take to read its files, in milliseconds. */
  shellMs?: number;
}

/** How to get the CLI, in one sentence. */
export const installAdvice =
  "Install it with `npm install -g @anthropic-ai/claude-code` (or see https://code.claude.com/docs), run `claude` once and log in, or set PARALLEL_CLAUDE_CLAUDE_PATH to where it is.";

/** How to get the program on Windows if there is only a batch file that starts it. */
const programAdvice =
  "Install the program itself by `irm https://claude.ai/install.ps1 | iex` in PowerShell, or set PARALLEL_CLAUDE_CLAUDE_PATH to a `claude.exe`.";

/**
 * The `claude` to run: the operator's path, then PATH, then the usual places of installers, then the login shell's PATH.
 * Skips relative entries of PATH, so that nothing from a foreign working directory is run. The shell may take seconds
 * (`shellMs`); without `askShell`, it is not asked.
 */
export function findClaude(
  claudePath: string | undefined,
  { environment = process.env, askShell = true, shellMs }: Search = {},
): FoundClaude {
  if (claudePath !== undefined) return checkPath(claudePath);
  const searched = new Set<string>();
  const shell = askShell ? () => pathOfLoginShell(environment, shellMs) : () => ({});
  let whyUnknown: string | undefined;
  let batchFile: string | undefined;
  for (const places of [
    () =>
      pathDirectories(joined([environment])["PATH"]).map((directory) => ({
        directory,
        where: "on the PATH",
      })),
    () =>
      programPlaces(environment).map(({ directory, who }) => ({ directory, where: `where ${who} puts it` })),
    () => {
      const told: Told = shell();
      whyUnknown = told.reason;
      const where = "on the PATH of your login shell";
      return pathDirectories(told.path).map((directory) => ({ directory, where }));
    },
  ]) {
    for (const { directory, where } of places()) {
      if (searched.has(directory)) continue;
      searched.add(directory);
      const here = claudeIn(directory);
      if (here?.kind === "program") return { found: true, path: here.path, where };
      batchFile ??= here?.path;
    }
  }
  if (batchFile !== undefined)
    return {
      found: false,
      message: `Of \`claude\`, only ${batchFile} was found. Windows cuts the command line of a batch file, so sessions need the program behind it.`,
      remedy: programAdvice,
    };
  const asked =
    whyUnknown === undefined ? "" : ` What is on the PATH of your login shell is not known: ${whyUnknown}.`;
  return {
    found: false,
    message: `\`claude\` was not found in ${[...searched].join(", ")}.${asked}`,
    remedy: installAdvice,
  };
}

/** The absolute directories of a PATH, without those that depend on the working directory. */
export function pathDirectories(path: string | undefined): string[] {
  return (path ?? "").split(pathListSeparator).filter(isAbsolute);
}

/** Where installers put `claude`, and the programs that its sessions need. */
export function knownDirectories(environment: Environment = process.env): string[] {
  return [...new Set(programPlaces(environment).map(({ directory }) => directory))];
}

function checkPath(claudePath: string): FoundClaude {
  const path = absolutePath(claudePath, homeDirectory());
  if (process.platform === "win32" && isBatchFile(path))
    return {
      found: false,
      message: `The configured claudePath ${path} is a batch file, whose command line Windows cuts.`,
      remedy: programAdvice,
    };
  if (isExecutable(path)) return { found: true, path, where: "as claudePath says" };
  return {
    found: false,
    message: `The configured claudePath ${path} is not an executable file.`,
    remedy: `Set PARALLEL_CLAUDE_CLAUDE_PATH (or \`claudePath\` in config.json) to where \`claude\` is, or remove it to have it searched for.`,
  };
}

function claudeIn(directory: string): OnWindows | undefined {
  if (process.platform === "win32") return claudeOnWindows(directory);
  const path = join(directory, "claude");
  return isExecutable(path) ? { kind: "program", path } : undefined;
}
