// The PATH of the user's login shell: version managers set it only in the shell's files.
import {
  closeDescriptor,
  createForAppending,
  isDirectory,
  isExecutable,
  readUpTo,
  realPath,
} from "../platform/files.ts";
import { leavingAlone } from "../platform/orphans.ts";
import { basename, homeDirectory, isAbsolute, join, temporaryDirectory } from "../platform/paths.ts";
import { signalGroup } from "../platform/process.ts";
import { removePath } from "../platform/removal.ts";

export interface Told {
  /** Undefined if the shell did not report it. */
  path?: string;
  /** Why it did not. */
  reason?: string;
}

/** Shells that understand the line below, as an interactive login shell. */
const known = ["sh", "bash", "zsh", "fish", "dash", "ksh", "mksh"];

/** How long a shell may take to read its files, in milliseconds. */
const usualMs = 5_000;

/** A longer output is no PATH. */
const mostBytes = 1_000_000;

const mark = "PATH-BEGINS-HERE";
const endMark = "PATH-ENDS-HERE";

/**
 * Asks the shell for its PATH: first as an interactive login shell, because most managers write to files that only
 * interactive shells read, then as a login shell only. It has no terminal and no input, so nothing waits for us.
 * `mostMs`: how long each of the two may take.
 */
export function pathOfLoginShell(
  environment: Record<string, string | undefined> = process.env,
  mostMs = usualMs,
): Told {
  const shell = environment["SHELL"];
  if (process.platform === "win32" || shell === undefined || shell === "") return {};
  if (!isAbsolute(shell) || !isExecutable(shell))
    return { reason: `SHELL is ${shell}, which is not a program` };
  if (!known.includes(basename(realPath(shell)))) return {};
  // A service user may have no home.
  if (!isDirectory(homeDirectory())) return { reason: `the home ${homeDirectory()} does not exist` };
  for (const flags of ["-lic", "-lc"]) {
    const path = askedFor([shell, flags], environment, mostMs);
    if (path !== undefined) return { path };
  }
  return { reason: `${shell} did not say its PATH within ${mostMs / 1000} s` };
}

function askedFor(
  shell: readonly string[],
  environment: Record<string, string | undefined>,
  mostMs: number,
): string | undefined {
  // A file, because whatever the shell starts may keep a pipe open for ever.
  const file = join(temporaryDirectory(), `parallel-claude-path-${crypto.randomUUID()}`);
  const output = createForAppending(file);
  try {
    const question = `printf '\\n%s%s%s\\n' ${mark} "$PATH" ${endMark}`;
    // Agents that the shell's files start are for the whole machine.
    const asked = leavingAlone(() =>
      Bun.spawnSync([...shell, question], {
        stdin: "ignore",
        stdout: output,
        stderr: "ignore",
        timeout: mostMs,
        killSignal: "SIGKILL",
        cwd: homeDirectory(),
        env: environment,
        // With its own session it cannot take our terminal, nor be stopped for reading from it.
        detached: true,
      }),
    );
    if (asked.exitedDueToTimeout) signalGroup(asked.pid, "SIGKILL");
    const text = new TextDecoder().decode(readUpTo(file, mostBytes));
    return new RegExp(`${mark}(.*)${endMark}`).exec(text)?.[1];
  } catch {
    // Not started: it may have been removed just now.
    return undefined;
  } finally {
    closeDescriptor(output);
    removePath(file);
  }
}
