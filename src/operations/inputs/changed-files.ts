// The files that differ from a commit, as git says.
import { GitFailed, gitList, gitOrNothing } from "../../git/git.ts";
import { OddFilter, repositoryFiltersOff } from "../../git/working-tree.ts";
import { kindAt } from "../../platform/files.ts";
import { join } from "../../platform/paths.ts";

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
  try {
    return await changedSince(directory, ref);
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    if (error.isMissing)
      return { fault: "requires `git`, which is not on PATH. Install it, or name the files by `glob`" };
    if (error instanceof OddFilter)
      return {
        fault: `requires a repository without a filter of the odd name ${JSON.stringify(error.filter)} in its configuration`,
      };
    return { fault: `could not be read: git said: ${error.message}` };
  }
}

async function changedSince(directory: string, ref: string): Promise<ChangedFiles> {
  const where = { directory, timeoutMs: mostMs };
  if ((await gitOrNothing(["rev-parse", "--is-inside-work-tree"], where)) !== "true")
    return { fault: `requires a git repository, and ${directory} is in none` };
  const commit = await gitOrNothing(["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], where);
  if (commit === undefined)
    return { fault: `${JSON.stringify(ref)} is no commit, branch or tag of the repository of ${directory}` };
  // What others have changed on that branch since is not this one's change. Without a common commit, all differs.
  const from = (await gitOrNothing(["merge-base", commit, "HEAD"], where)) ?? commit;
  const off = await repositoryFiltersOff(directory);
  const how = ["--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules"];
  const changed = await gitList(
    ["diff", "--name-only", "-z", "--relative", "--diff-filter=d", ...how, from, "--"],
    { ...where, off },
  );
  const untracked = await gitList(["ls-files", "-z", "--others", "--exclude-standard"], where);
  const names = new Set([...changed, ...untracked]);
  return { files: [...names].filter((name) => kindAt(join(directory, name)) === "file").sort() };
}
