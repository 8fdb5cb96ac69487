// The PATH that the user's own shell makes: version managers set it in the shell's files only.
import {
  closeDescriptor,
  createForAppending,
  isDirectory,
  isExecutable,
  readUpTo,
  realPath,
  removePath,
} from "../platform/files.ts";
import { leavingAlone } from "../platform/orphans.ts";
import { basename, homeDirectory, isAbsolute, join, temporaryDirectory } from "../platform/paths.ts";
import { signalGroup } from "../platform/process.ts";

export interface Told {
  /** Nothing where the shell did not say. */
  path?: string;
  /** Why it did not. */
  hindrance?: string;
}

/** Shells that understand the line below, an interactive one and a login one in one. */
const known = ["sh", "bash", "zsh", "fish", "dash", "ksh", "mksh"];

/** How long a shell may take to read its files, in milliseconds. */
const usualMs = 5_000;

/** More than that is no PATH. */
const mostBytes = 1_000_000;

const mark = "PATH-BEGINS-HERE";
const endMark = "PATH-ENDS-HERE";

/**
 * Asks the shell for its PATH: as an interactive one, because most managers write into the files that only such a one
 * reads, and where that says nothing, as a login one alone. It has no terminal and no input, so that nothing it asks
 * waits for us. `mostMs`: how long each of the two may take.
 */
export function pathOfLoginShell(
  environment: Record<string, string | undefined> = process.env,
  mostMs = usualMs,
): Told {
  const shell = environment["SHELL"];
  if (process.platform === "win32" || shell === undefined || shell === "") return {};
  if (!isAbsolute(shell) || !isExecutable(shell))
    return { hindrance: `SHELL is ${shell}, which is not a program` };
  if (!known.includes(basename(realPath(shell)))) return {};
  // A user of a service may have no home.
  if (!isDirectory(homeDirectory())) return { hindrance: `the home ${homeDirectory()} does not exist` };
  for (const flags of ["-lic", "-lc"]) {
    const path = askedFor([shell, flags], environment, mostMs);
    if (path !== undefined) return { path };
  }
  return { hindrance: `${shell} did not say its PATH within ${mostMs / 1000} s` };
}

function askedFor(
  shell: readonly string[],
  environment: Record<string, string | undefined>,
  mostMs: number,
): string | undefined {
  // A file, for whatever the shell starts may hold a pipe open for ever.
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
        // Without a terminal of its own it cannot take ours, nor be stopped for reading from it.
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
