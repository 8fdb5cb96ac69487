// The remote of a repository: from where other machines can get its commits.
import { gitOrNothing } from "./git.ts";

/** A remote that other machines can use. */
export interface Remote {
  /** As the repository calls it. */
  name: string;
  /** Without a password. */
  url: string;
}

/**
 * The remote of a repository: that of its branch; else `origin`; else the only one. Or why other machines can use none, as it
 * follows the name of a directory in a sentence. Throws `GitFailed`.
 */
export async function remoteOf(root: string): Promise<Remote | { says: string }> {
  const name = await remoteNameOf(root);
  const written = name && (await gitOrNothing(["remote", "get-url", name], { directory: root }));
  // A name before the host is often a token. Other machines have their own.
  const url = written?.replace(/^(https?:\/\/)[^/@]*@/i, "$1");
  if (name === undefined || !url)
    return { says: "is in a Git repository without a remote, from which workers could clone it" };
  const trouble = urlTrouble(url);
  return trouble === undefined ? { name, url } : { says: `has the remote ${name}, whose address ${trouble}` };
}

async function remoteNameOf(root: string): Promise<string | undefined> {
  const branch = await gitOrNothing(["symbolic-ref", "--quiet", "--short", "HEAD"], { directory: root });
  const own =
    branch && (await gitOrNothing(["config", "--get", `branch.${branch}.remote`], { directory: root }));
  const all = ((await gitOrNothing(["remote"], { directory: root })) ?? "").split("\n").filter(Boolean);
  if (own && all.includes(own)) return own;
  return all.includes("origin") ? "origin" : all.length === 1 ? all[0] : undefined;
}

/** What Git can be asked to clone without running a program that the address names. */
const transports = /^(?:https?:\/\/|ssh:\/\/|git:\/\/|file:\/\/|\w[\w.-]*@[\w.-]+:|\/)/;

/** What is wrong with the address of a repository; undefined if nothing is. */
export function urlTrouble(url: string): string | undefined {
  if (!transports.test(url)) return "must begin with https://, ssh:// or user@host:";
  // Behind a question mark, there may be a token.
  if (/[\s\0%?]|\/\.{1,2}(?:\/|$)/.test(url)) return "contains what an address of a repository does not need";
  if (/^(?:https?:\/\/[^/@]*|[a-z]+:\/\/[^/@]*:[^/@]*)@/.test(url))
    return "contains a password or token; let Git get it from its own helper";
  return undefined;
}

/** Whether an address names a place on the own disk of the machine that uses it. */
export function isLocalUrl(url: string): boolean {
  return url.startsWith("/") || url.startsWith("file:");
}
