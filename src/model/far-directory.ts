// A directory on another machine, written as scp and rsync write it: `box1:/srv/app`. `*` stands for whichever machine runs
// the task.

/** Whichever of the machines of a batch. */
export const anyHost = "*";

export interface FarDirectory {
  host: string;
  /** Absolute there, or below the home there (`~/app`). */
  path: string;
}

/**
 * The parts of a directory on one of these machines. Undefined for any other text: a directory of this machine may have a
 * colon in its name.
 */
export function farDirectoryIn(text: string, hosts: readonly string[]): FarDirectory | undefined {
  if (hosts.length === 0) return undefined;
  // One may begin like another: `box1` and `box1:2222`.
  const [host] = [anyHost, ...hosts]
    .filter((one) => text.startsWith(`${one}:`))
    .toSorted((one, other) => other.length - one.length);
  return host === undefined ? undefined : { host, path: text.slice(host.length + 1) };
}

/** How it is written. */
export function farDirectoryText({ host, path }: FarDirectory): string {
  return `${host}:${path}`;
}

/** Whether it says where it is: sessions do not work wherever a login there begins. */
export function isPlaced({ path }: FarDirectory): boolean {
  return /^(?:\/|~(?:\/|$))/.test(path);
}

/** Whether a path on another machine is in a working tree that was made for one attempt, and is gone with it. */
export function isOwnTree(path: string): boolean {
  return /\/far\/[^/]+\/trees\//.test(path);
}
