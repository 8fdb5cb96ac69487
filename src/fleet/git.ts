// Runs Git so that no repository, and nothing around us, decides what else runs.
import { pathDirectories } from "../claude/find.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { pathListSeparator } from "../platform/paths.ts";
import { codeOf } from "../platform/system-error.ts";

/** How long one command may take: a clone of a large repository, over a slow network, in milliseconds. */
const mostMs = 30 * 60_000;

/** Why Git failed, as the end of a sentence. */
export class GitFailed extends Error {}

interface Surroundings {
  /** Where it runs. */
  directory: string;
  /** Variables for this command, such as `GIT_INDEX_FILE`. */
  variables?: Record<string, string>;
}

/** What a Git command prints, without the line feed at its end. Throws `GitFailed`. */
export async function git(
  words: readonly string[],
  { directory, variables = {} }: Surroundings,
): Promise<string> {
  const path = pathDirectories(process.env["PATH"]).join(pathListSeparator);
  const program = Bun.which("git", { PATH: path });
  if (program === null) throw new GitFailed("Git is not installed");
  try {
    const child = isNoOrphan(
      Bun.spawn([program, ...always, ...words], {
        cwd: directory,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        windowsHide: true,
        timeout: mostMs,
        env: { ...gitEnvironment(), ...variables },
      }),
    );
    const [text, said, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (status === 0) return text.trimEnd();
    throw new GitFailed(lastWords(said) || `it ended with status ${status}`);
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new GitFailed(`${directory} does not exist`);
    throw error;
  }
}

/** The same, but undefined where Git fails. */
export async function gitOrNothing(
  words: readonly string[],
  where: Surroundings,
): Promise<string | undefined> {
  try {
    return await git(words, where);
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}

/** Hooks and monitors are programs, and whole objects are checked, because they come from elsewhere. */
const always = [
  ...["-c", "core.fsmonitor=false"],
  ...["-c", "core.hooksPath=/dev/null"],
  ...["-c", "transfer.fsckObjects=true"],
  ...["-c", "gc.auto=0"],
  ...["-c", "maintenance.auto=false"],
  ...["-c", "protocol.ext.allow=never"],
  ...["-c", "advice.detachedHead=false"],
];

/** Who makes our commits. The date comes from the commit below, so that the same files give the same commit. */
const author = { name: "parallel-claude-code", email: "noreply@localhost" };

/** Variables with which a commit depends on nothing but its files, its message and this date. */
export function authorship(date: string): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_COMMITTER_DATE: date,
  };
}

/** Variables about the user's own configuration and credentials. Others name another repository, index or program. */
const kept =
  /^GIT_(?:EXEC_PATH|CONFIG_(?:NOSYSTEM|GLOBAL|SYSTEM|COUNT|KEY_\d+|VALUE_\d+)|SSH|SSH_COMMAND|ASKPASS|SSL_\w+)$/i;

function gitEnvironment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^GIT_/i.test(name) || kept.test(name));
  return { ...Object.fromEntries(own), GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}

// Git says what it does, and then what went wrong.
function lastWords(said: string): string {
  const lines = said.split("\n").map((line) => line.trim());
  const wrong = lines.filter((line) => /^(?:fatal|error):/.test(line));
  return (wrong.length > 0 ? wrong : lines.filter((line) => line !== "").slice(-1))
    .map((line) => line.replace(/^(?:fatal|error): /, ""))
    .join("; ");
}
