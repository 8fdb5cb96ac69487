// Runs git so that nothing of a repository runs: no hooks, no monitors, no programs for differences.
import { cleanEnvironment } from "../claude/environment.ts";
import { joined } from "../platform/environment.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { messageOf } from "../platform/system-error.ts";

/** How long it may take, in milliseconds. */
const mostMs = 600_000;

/** What it printed; or why it failed, in words for people. */
export type GitResult = { ok: true; bytes: Uint8Array; text: string } | { ok: false; because: string };

const quiet = [
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "gc.auto=0",
  "-c",
  "protocol.allow=never",
  "-c",
  "protocol.file.allow=always",
];

/**
 * Runs git in a directory. `index`: the file to use as its index. `gitDirectory`: where its repository is, whatever the
 * directory says.
 */
export async function git(
  directory: string,
  words: readonly string[],
  { index, off = [], gitDirectory }: { index?: string; off?: readonly string[]; gitDirectory?: string } = {},
): Promise<GitResult> {
  const environment = joined([
    cleanEnvironment(process.env),
    { GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C", ...author },
    index === undefined ? {} : { GIT_INDEX_FILE: index },
  ]);
  for (const name of ofAnotherRepository) delete environment[name];
  if (gitDirectory !== undefined) {
    environment["GIT_DIR"] = gitDirectory;
    environment["GIT_WORK_TREE"] = directory;
  }
  try {
    const child = isNoOrphan(
      Bun.spawn(["git", ...quiet, ...off, ...words], {
        cwd: directory,
        env: environment,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        windowsHide: true,
        timeout: mostMs,
      }),
    );
    const [code, bytes, err] = await Promise.all([child.exited, child.stdout.bytes(), child.stderr.text()]);
    if (code === 0) return { ok: true, bytes, text: new TextDecoder().decode(bytes).trim() };
    const last = err.trim().split("\n").at(-1) ?? "";
    return { ok: false, because: last || `git ${words[0]} ended with ${child.signalCode ?? code}` };
  } catch (error) {
    return { ok: false, because: `git could not be started: ${messageOf(error)}` };
  }
}

// A commit of a working tree says nothing of its user, nor when it was made: the same tree is the same commit.
const who = "parallel";
const when = "2000-01-01T00:00:00Z";
const author = {
  GIT_AUTHOR_DATE: when,
  GIT_COMMITTER_DATE: when,
  GIT_AUTHOR_NAME: who,
  GIT_AUTHOR_EMAIL: `${who}@localhost`,
  GIT_COMMITTER_NAME: who,
  GIT_COMMITTER_EMAIL: `${who}@localhost`,
};

const ofAnotherRepository = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"];
