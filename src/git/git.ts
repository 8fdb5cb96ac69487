// Runs Git so that no repository, and nothing around us, decides what else runs.
import { cleanEnvironment } from "../claude/environment.ts";
import { pathDirectories } from "../claude/find.ts";
import { product } from "../model/product.ts";
import { joined } from "../platform/environment.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { pathListSeparator } from "../platform/paths.ts";
import { codeOf } from "../platform/system-error.ts";

/** How long one command may take: a clone of a large repository, over a slow network, in milliseconds. */
const mostMs = 30 * 60_000;

/** Why Git failed, as the end of a sentence. */
export class GitFailed extends Error {
  /** Whether there is no Git on this machine. */
  readonly isMissing: boolean;
  /** What it ended with; undefined if it did not start. */
  readonly status: number | undefined;
  /** Whether the network, a server or this disk is in trouble, which passes, whatever was asked. */
  readonly isOutage: boolean;

  constructor(
    message: string,
    {
      isMissing = false,
      isOutage = false,
      status,
    }: { isMissing?: boolean; isOutage?: boolean; status?: number } = {},
  ) {
    super(message);
    this.isMissing = isMissing;
    this.isOutage = isOutage;
    this.status = status;
  }
}

/** What Git, curl and ssh say of an outage. */
const outage =
  /could not resolve host|name resolution|connection (?:refused|reset|timed out|closed)|timed? ?out|failed to connect|couldn't connect|no route to host|network is unreachable|host is down|early EOF|unexpected disconnect|returned error: (?:5\d\d|429)|no space left|disk quota exceeded/i;
/** What they say of a task whose files cannot be had. A server that refuses closes the connection, too. */
const refusal =
  /permission denied|authentication failed|host key verification failed|could not read username|returned error: 4(?!29)\d\d|repository .*not (?:found|exist)/i;

/** Whether that is what Git says of an outage, which passes. */
export function isOutage(said: string): boolean {
  return outage.test(said) && !refusal.test(said);
}

/** Which other repositories Git may read: none, those of this machine, or those of other machines too. */
export type Reach = "nothing" | "files" | "remotes";

/** Where and how a command runs. */
export interface Surroundings {
  /** Where it runs. */
  directory: string;
  /** The repository to use, whatever the directory says: `directory` is then its working tree. */
  repository?: string;
  /** The file to use as the index. */
  index?: string;
  /** More words before the command, such as those of `repositoryFiltersOff`. */
  off?: readonly string[];
  /** By default `nothing`. */
  reaches?: Reach;
  /** The date of the commits that it makes. */
  committedAt?: string;
  /** By default half an hour. */
  timeoutMs?: number;
  /** What it reads. */
  input?: ReadableStream<Uint8Array>;
  /** Ends it, which is a failure. */
  signal?: AbortSignal | undefined;
  /** It may not print more than this, in bytes; more is a failure. */
  mostBytes?: number;
}

/** What a Git command prints, without the line feed at its end. Throws `GitFailed`. */
export async function git(words: readonly string[], where: Surroundings): Promise<string> {
  const text = new TextDecoder().decode(await gitBytes(words, where));
  return text.replace(/\r?\n$/, "");
}

/** What a Git command prints between null bytes, as with its option `-z`. Throws `GitFailed`. */
export async function gitList(words: readonly string[], where: Surroundings): Promise<string[]> {
  return new TextDecoder()
    .decode(await gitBytes(words, where))
    .split("\0")
    .filter((one) => one !== "");
}

/** The same as `git`, but undefined where Git fails. Throws `GitFailed` only if there is none. */
export async function gitOrNothing(
  words: readonly string[],
  where: Surroundings,
): Promise<string | undefined> {
  try {
    return await git(words, where);
  } catch (error) {
    if (error instanceof GitFailed && !error.isMissing) return undefined;
    throw error;
  }
}

/** The bytes that a Git command prints, such as a patch. Throws `GitFailed`. */
export async function gitBytes(
  words: readonly string[],
  { directory, off = [], timeoutMs = mostMs, input, signal, mostBytes, ...more }: Surroundings,
): Promise<Uint8Array<ArrayBuffer>> {
  const program = gitProgram();
  if (program === undefined) throw new GitFailed("Git is not installed", { isMissing: true });
  if (signal?.aborted) throw new GitFailed("it was not wanted any more");
  try {
    // What reaches another machine starts programs, such as ssh, which may hang as well.
    const isGroup = more.reaches === "remotes" && process.platform !== "win32";
    const child = isNoOrphan(
      Bun.spawn([program, ...always, ...off, ...words], {
        cwd: directory,
        stdin: input ?? "ignore",
        stdout: "pipe",
        stderr: "pipe",
        windowsHide: true,
        detached: isGroup,
        env: { ...gitEnvironment(more.reaches ?? "nothing"), ...variablesOf(directory, more) },
      }),
    );
    // A signal by which Git removes its locks.
    const end = () => signalTo(isGroup ? -child.pid : child.pid);
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener("abort", end);
    void child.exited.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    });
    const [bytes, said, status] = await Promise.all([
      mostBytes === undefined ? child.stdout.bytes() : upTo(mostBytes, child),
      child.stderr.text(),
      child.exited,
    ]);
    if (status === 0) return bytes;
    const how = child.signalCode ? `it was ended by ${child.signalCode}` : `it ended with status ${status}`;
    throw new GitFailed(lastWords(said) || how, { status, isOutage: isOutage(said) });
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new GitFailed(`${directory} does not exist`);
    throw error;
  }
}

function signalTo(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has gone.
  }
}

// What a child prints, which is ended if that is too much: nobody could keep it in memory.
async function upTo(
  mostBytes: number,
  child: Bun.Subprocess<Bun.SpawnOptions.Writable, "pipe", "pipe">,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of child.stdout) {
    bytes += piece.length;
    if (bytes > mostBytes) {
      child.kill("SIGKILL");
      throw new GitFailed(`it is longer than ${mostBytes} bytes`);
    }
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** The `git` on the PATH; undefined if there is none. A relative entry of PATH would lead into whatever repository we work on. */
export function gitProgram(): string | undefined {
  return Bun.which("git", { PATH: searchedPath() }) ?? undefined;
}

function searchedPath(): string {
  return pathDirectories(joined([process.env])["PATH"]).join(pathListSeparator);
}

/** The environment of Git. Of the variables about Git, those that name another repository, index or program are left out. */
export function gitEnvironment(reaches: Reach): Record<string, string> {
  const own = Object.entries(cleanEnvironment(process.env)).filter(
    ([name]) =>
      !/^GIT_/i.test(name) || ofUser.test(name) || (reaches === "remotes" && ofConnections.test(name)),
  );
  return {
    ...Object.fromEntries(own),
    // For the programs that Git runs.
    PATH: searchedPath(),
    GIT_TERMINAL_PROMPT: "0",
    // A question does not write into the repository.
    GIT_OPTIONAL_LOCKS: "0",
    LC_ALL: "C",
    ...(reaches === "remotes"
      ? // Nobody is there to answer what ssh asks at a terminal.
        { SSH_ASKPASS_REQUIRE: "force", SSH_ASKPASS: process.env["SSH_ASKPASS"] ?? "false" }
      : // What a partial clone lacks is not fetched.
        { GIT_NO_LAZY_FETCH: "1", GIT_ALLOW_PROTOCOL: reaches === "files" ? "file" : "none" }),
  };
}

/** About the user's own configuration, and about where to look for repositories. */
const ofUser =
  /^GIT_(?:EXEC_PATH|CONFIG_(?:NOSYSTEM|GLOBAL|SYSTEM|COUNT|KEY_\d+|VALUE_\d+)|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/i;

/** About the user's credentials. */
const ofConnections = /^GIT_(?:SSH|SSH_COMMAND|ASKPASS|SSL_\w+)$/i;

/** What objects of old histories have, and what does no harm, as Git's checks of objects take it. */
export const harmlessFaults = [
  "badDate",
  "badDateOverflow",
  "badEmail",
  "badName",
  "badTimezone",
  "emptyName",
  "missingEmail",
  "missingNameBeforeEmail",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "multipleAuthors",
  "nullSha1",
  "zeroPaddedFilemode",
].map((fault) => `${fault}=ignore`);

/** Hooks and monitors are programs, and objects are checked because they come from elsewhere. */
const always = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.untrackedCache=false",
  "core.splitIndex=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "protocol.ext.allow=never",
  "submodule.recurse=false",
  // Which would run a program to check signatures.
  "log.showSignature=false",
  "advice.detachedHead=false",
  "safe.bareRepository=all",
  "transfer.fsckObjects=true",
  ...harmlessFaults.map((fault) => `fetch.fsck.${fault}`),
].flatMap((setting) => ["-c", setting]);

/** Who makes our commits. Nothing of the user, so that the same files give the same commit. */
const author = { name: product.name, email: "noreply@localhost" };

type Named = Pick<Surroundings, "repository" | "index" | "committedAt">;

function variablesOf(directory: string, { repository, index, committedAt }: Named): Record<string, string> {
  return {
    ...(repository === undefined ? {} : { GIT_DIR: repository, GIT_WORK_TREE: directory }),
    ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
    ...(committedAt === undefined
      ? {}
      : {
          GIT_AUTHOR_NAME: author.name,
          GIT_AUTHOR_EMAIL: author.email,
          GIT_AUTHOR_DATE: committedAt,
          GIT_COMMITTER_NAME: author.name,
          GIT_COMMITTER_EMAIL: author.email,
          GIT_COMMITTER_DATE: committedAt,
        }),
  };
}

/** A text without the names and passwords in addresses: what a user's own configuration adds to one is for nobody else. */
export function withoutSecrets(text: string): string {
  return text.replace(/\b(https?:\/\/)[^/\s'"]*@|\b([a-z]+:\/\/[^/\s'"@:]*):[^/\s'"]*(?=@)/gi, "$1$2");
}

// Git says what it does, and then what went wrong.
function lastWords(said: string): string {
  const lines = withoutSecrets(said)
    .split("\n")
    .map((line) => line.trim());
  const wrong = lines.filter((line) => /^(?:fatal|error):/.test(line));
  return (wrong.length > 0 ? wrong : lines.filter((line) => line !== "").slice(-1))
    .map((line) => line.replace(/^(?:fatal|error): /, ""))
    .join("; ");
}
