// The files that differ from a commit, as git says.
import { kindAt } from "../../platform/files.ts";
import { join } from "../../platform/paths.ts";
import { codeOf } from "../../platform/system-error.ts";

/** Their paths below the directory, sorted; or why git does not say. */
export type ChangedFiles = { files: string[] } | { fault: string };

/** How long git may take, in milliseconds. */
const mostMs = 60_000;

/**
 * The files that exist and differ from where this branch left `ref`: committed since, changed, or not known to git
 * without being ignored.
 */
export async function changedFiles(directory: string, ref: string): Promise<ChangedFiles> {
  if (ref.startsWith("-")) return { fault: `${JSON.stringify(ref)} is no commit, branch or tag` };
  const inside = await git(directory, ["rev-parse", "--is-inside-work-tree"]);
  if (inside.kind === "missing")
    return { fault: "requires `git`, which is not on PATH. Install it, or name the files by `glob`" };
  if (inside.kind === "failed" || inside.text.trim() !== "true")
    return { fault: `requires a git repository, and ${directory} is in none` };
  const commit = await git(directory, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  if (commit.kind !== "done")
    return { fault: `${JSON.stringify(ref)} is no commit, branch or tag of the repository of ${directory}` };
  // What others have changed on that branch since is not this one's change. Without a common commit, all differs.
  const base = await git(directory, ["merge-base", commit.text.trim(), "HEAD"]);
  const from = base.kind === "done" ? base.text.trim() : commit.text.trim();
  const changed = await git(directory, [
    "diff",
    "--name-only",
    "-z",
    "--relative",
    "--diff-filter=d",
    "--no-renames",
    "--no-ext-diff",
    "--ignore-submodules",
    from,
    "--",
  ]);
  const untracked = await git(directory, ["ls-files", "-z", "--others", "--exclude-standard"]);
  for (const part of [changed, untracked])
    if (part.kind !== "done")
      return { fault: `could not be read: git said: ${part.kind === "failed" ? part.reason : "nothing"}` };
  const texts = [changed, untracked].flatMap((part) => (part.kind === "done" ? part.text.split("\0") : []));
  const names = [...new Set(texts)].filter((name) => name !== "" && kindAt(join(directory, name)) === "file");
  return { files: names.sort() };
}

type Said = { kind: "done"; text: string } | { kind: "failed"; reason: string } | { kind: "missing" };

async function git(directory: string, words: readonly string[]): Promise<Said> {
  try {
    const child = Bun.spawn(["git", "-c", "core.fsmonitor=false", ...words], {
      cwd: directory,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      windowsHide: true,
      timeout: mostMs,
      // A question must not write into the repository.
      env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" },
    });
    const [text, reason, status] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    if (status === 0) return { kind: "done", text };
    return { kind: "failed", reason: reason.trim() === "" ? `status ${status}` : reason.trim() };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { kind: "missing" };
    throw error;
  }
}
