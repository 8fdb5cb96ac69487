// A repository without a working tree that follows a remote: with one for each remote, a machine gets every commit only once.
import { GitFailed, git, gitOrNothing } from "./git.ts";

/** From where a mirror gets what it lacks. */
export interface Source {
  /** Of the remote. */
  url: string;
  /** Ends a fetch, which is a failure. */
  signal?: AbortSignal | undefined;
}

/** A server that says nothing for five minutes says nothing any more. */
const silenceEnds = ["http.lowSpeedLimit=1", "http.lowSpeedTime=300"].flatMap((one) => ["-c", one]);

// By its name: a directory that is none would lead to the repository around it, whose branches would be replaced.
function whereOf(mirror: string, { signal }: Source) {
  return { directory: mirror, reaches: "remotes", off: [...silenceEnds, "--git-dir=."], signal } as const;
}

/** Whether a mirror has a commit, with its files. */
export async function hasCommit(mirror: string, commit: string, source: Source): Promise<boolean> {
  const words = ["cat-file", "-e", `${commit}^{tree}`];
  return (await gitOrNothing(words, whereOf(mirror, source))) !== undefined;
}

/**
 * Gets a commit unless it is there, with all that the branches and tags of the remote have. False if the remote does not have it.
 * Throws `GitFailed`.
 */
export async function fetchCommit(mirror: string, commit: string, source: Source): Promise<boolean> {
  const isThere = () => hasCommit(mirror, commit, source);
  if (await isThere()) return true;
  try {
    await fetchAll(mirror, source);
  } catch (error) {
    // One branch of many may not fit.
    if (!(error instanceof GitFailed) || !(await isThere())) throw error;
  }
  if (await isThere()) return true;
  // A commit that no branch has, such as that of a pull request.
  const words = ["fetch", "--quiet", "--no-write-fetch-head", "--", source.url, commit];
  await gitOrNothing(words, whereOf(mirror, source));
  return await isThere();
}

/** Gets what the branches and tags of the remote have now. Throws `GitFailed`. */
export async function fetchAll(mirror: string, source: Source): Promise<void> {
  // A branch `a` that is gone would be in the way of `a/b`.
  const how = ["--quiet", "--no-write-fetch-head", "--prune"];
  const refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
  await git(["fetch", ...how, "--", source.url, ...refs], whereOf(mirror, source));
}

/** Asks the remote for next to nothing. Throws `GitFailed` if it does not answer in time. */
export async function checkAnswers(mirror: string, source: Source, mostMs: number): Promise<void> {
  const startedAt = performance.now();
  try {
    await git(["ls-remote", "--", source.url, "HEAD"], { ...whereOf(mirror, source), timeoutMs: mostMs });
  } catch (error) {
    const isLate = error instanceof GitFailed && performance.now() - startedAt >= mostMs;
    throw isLate ? new GitFailed(`it does not answer within ${mostMs / 1_000} s`, { isOutage: true }) : error;
  }
}
