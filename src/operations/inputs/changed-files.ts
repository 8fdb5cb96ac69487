// The files that differ from a commit, as git says.
import { pathDirectories } from "../../claude/find.ts";
import { kindAt } from "../../platform/files.ts";
import { join, pathListSeparator } from "../../platform/paths.ts";
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
  if (ref.startsWith("-") || ref.includes("\0"))
    return { fault: `${JSON.stringify(ref)} is no commit, branch or tag` };
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
  const filters = await ownFilters(directory);
  if ("fault" in filters) return filters;
  const changed = await git(directory, [
    ...filters.off,
    "diff",
    "--name-only",
    "-z",
    "--relative",
    "--diff-filter=d",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
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

/** What runs a program when git compares a file of the working directory. */
const filterParts = ["clean", "smudge", "process"] as const;

/**
 * Arguments that turn off the filters which the repository itself configures: a stranger may have written them. Those of
 * its user, such as Git LFS, stay, because without them unchanged files would seem changed.
 */
async function ownFilters(directory: string): Promise<{ off: string[] } | { fault: string }> {
  const pattern = "^filter\\.";
  const scoped = await git(directory, [
    "config",
    "-z",
    "--show-scope",
    "--name-only",
    "--get-regexp",
    pattern,
  ]);
  // It says nothing if there are none. Before 2.26, it does not know whose they are.
  const isKnown = scoped.kind === "done" || (scoped.kind === "failed" && scoped.reason === "status 1");
  const all = isKnown
    ? scoped
    : await git(directory, ["config", "-z", "--name-only", "--get-regexp", pattern]);
  const fields = all.kind === "done" ? all.text.split("\0").slice(0, -1) : [];
  const keys = isKnown
    ? fields.filter(
        (_, index) => index % 2 === 1 && !["system", "global", "command"].includes(fields[index - 1] ?? ""),
      )
    : fields;
  const drivers = new Set(keys.map((key) => key.slice("filter.".length, key.lastIndexOf("."))));
  // Git reads such a name in an argument as another one.
  const odd = [...drivers].find((name) => /[=\n]/.test(name));
  if (odd !== undefined)
    return {
      fault: `requires a repository without a filter of the odd name ${JSON.stringify(odd)} in its configuration`,
    };
  const off = [...drivers].flatMap((name) => [
    ...filterParts.flatMap((part) => ["-c", `filter.${name}.${part}=`]),
    "-c",
    `filter.${name}.required=false`,
  ]);
  return { off };
}

type Said = { kind: "done"; text: string } | { kind: "failed"; reason: string } | { kind: "missing" };

async function git(directory: string, words: readonly string[]): Promise<Said> {
  const path = pathDirectories(process.env["PATH"]).join(pathListSeparator);
  const program = Bun.which("git", { PATH: path });
  if (program === null) return { kind: "missing" };
  try {
    const child = Bun.spawn([program, ...withoutHooks, ...words], {
      cwd: directory,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      windowsHide: true,
      timeout: mostMs,
      env: gitEnvironment(),
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

/** A stranger's repository may name programs to run. */
const withoutHooks = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];

/** Variables about the configuration, and about where to look for repositories. */
const keptVariables =
  /^GIT_(?:EXEC_PATH|CONFIG_(?:NOSYSTEM|GLOBAL|SYSTEM|COUNT|KEY_\d+|VALUE_\d+)|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/i;

// In a hook, for one, variables name another repository, index or working tree.
function gitEnvironment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^GIT_/i.test(name) || keptVariables.test(name),
  );
  return {
    ...Object.fromEntries(own),
    // A question must not write into the repository, nor fetch what it lacks.
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    LC_ALL: "C",
  };
}
