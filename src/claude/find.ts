// Finds the `claude` executable, also where a desktop application gave us a PATH of four directories.
import { isDirectory, isExecutable, realPath } from "../platform/files.ts";
import {
  absolutePath,
  basename,
  homeDirectory,
  isAbsolute,
  join,
  pathListSeparator,
} from "../platform/paths.ts";

/** `message` says what is wrong, and `remedy` what to do. */
export type FoundClaude = { found: true; path: string } | { found: false; message: string; remedy: string };

type Environment = Record<string, string | undefined>;

/** How to get the CLI, in one sentence. */
export const installAdvice =
  "Install it with `npm install -g @anthropic-ai/claude-code` (or see https://code.claude.com/docs), run `claude` once and log in, or set PARALLEL_CLAUDE_CLAUDE_PATH to where it is.";

/**
 * The `claude` to run: the operator's own path, then PATH, then the places where installers put it, at last
 * the login shell's PATH. Relative entries of PATH are passed over: what lies in a stranger's working
 * directory is never run. The shell may take seconds; without `askShell`, it is not asked.
 */
export function findClaude(
  claudePath: string | undefined,
  { environment = process.env, askShell = true }: { environment?: Environment; askShell?: boolean } = {},
): FoundClaude {
  if (claudePath !== undefined) return checkPath(claudePath);
  const searched: string[] = [];
  for (const directories of [
    () => pathDirectories(environment["PATH"]),
    knownDirectories,
    ...(askShell ? [loginShellDirectories] : []),
  ]) {
    for (const directory of directories()) {
      if (searched.includes(directory)) continue;
      searched.push(directory);
      const path = claudeIn(directory);
      if (path !== undefined) return { found: true, path };
    }
  }
  return {
    found: false,
    message: `\`claude\` was not found in ${searched.join(", ")}.`,
    remedy: installAdvice,
  };
}

/** The absolute directories of a PATH, and nothing that depends on where we stand. */
export function pathDirectories(path: string | undefined): string[] {
  return (path ?? "").split(pathListSeparator).filter(isAbsolute);
}

/** Where installers put `claude`, and what a session's own commands need. */
export function knownDirectories(): string[] {
  const home = homeDirectory();
  if (process.platform === "win32") {
    return [join(home, ".local", "bin"), join(home, "AppData", "Roaming", "npm"), join(home, ".bun", "bin")];
  }
  const inHome = [".local/bin", ".claude/local", ".bun/bin", ".npm-global/bin", ".volta/bin", ".asdf/shims"];
  return [
    ...inHome.map((directory) => join(home, directory)),
    join(home, ".local/share/mise/shims"),
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
  ];
}

function checkPath(claudePath: string): FoundClaude {
  const path = absolutePath(claudePath, homeDirectory());
  if (isExecutable(path)) return { found: true, path };
  return {
    found: false,
    message: `The configured claudePath ${path} is not an executable file.`,
    remedy: `Set PARALLEL_CLAUDE_CLAUDE_PATH (or \`claudePath\` in config.json) to where \`claude\` is, or remove it to have it searched for.`,
  };
}

function claudeIn(directory: string): string | undefined {
  // A `.cmd` wrapper cuts its command line at 8,191 characters: on Windows only the real executable will do.
  const path = join(directory, process.platform === "win32" ? "claude.exe" : "claude");
  return isExecutable(path) ? path : undefined;
}

// Version managers set PATH in the shell's own files only.
function loginShellDirectories(): string[] {
  const shell = process.env["SHELL"];
  if (process.platform === "win32" || shell === undefined || !isAbsolute(shell)) return [];
  // Neither need be there: a container may set SHELL for a shell that it has not, and a user may have no home.
  if (!isExecutable(shell) || !isDirectory(homeDirectory())) return [];
  if (!["sh", "bash", "zsh", "fish", "dash", "ksh"].includes(basename(realPath(shell)))) return [];
  const mark = "PATH-BEGINS-HERE";
  const asked = Bun.spawnSync([shell, "-lc", `printf '\\n%s%s\\n' ${mark} "$PATH"`], {
    stdin: "ignore",
    stderr: "ignore",
    timeout: 3_000,
    killSignal: "SIGKILL",
    cwd: homeDirectory(),
  });
  const line = asked.stdout
    .toString()
    .split("\n")
    .find((text) => text.startsWith(mark));
  return pathDirectories(line?.slice(mark.length));
}
