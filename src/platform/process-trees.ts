// How much memory sessions use, with all processes that they started.
import { hasEnded, identityWith, sameStart } from "./process.ts";
import { whereIs } from "./process-home.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { processesOf } from "./processes/of-system.ts";
import type { MeasuredRow } from "./processes/system-processes.ts";
import { type System, thisSystem } from "./system.ts";

/** A session's tree. */
export interface Tree {
  bytes: number;
  /** All processes in it, and former members that still run elsewhere, with their descendants. */
  members: ProcessIdentity[];
}

/**
 * The current trees, by the key of their root: the root, its descendants, and all processes whose process group or
 * session it leads, even without a parent. The tree of an ended root is empty. A root is absent if nothing is known: of
 * another pid namespace, and on Windows until the first answer. `seen`: members at earlier calls. They and their
 * descendants still count after leaving the tree. A process double-forked between two calls is missed: only its
 * environment shows its origin, and reading all environments is left to the sweep at a session's end. Pages that a fork
 * shares with its parent count for both. On macOS and Windows the figures are up to a few seconds old, and pages shared with other
 * processes count for each. Never throws.
 */
export function treesOf<Key>(
  roots: ReadonlyMap<Key, ProcessIdentity>,
  seen: ReadonlyMap<Key, readonly ProcessIdentity[]> = new Map(),
  system: System = thisSystem,
): Map<Key, Tree> {
  const table = roots.size === 0 ? undefined : processesOf(system).measured();
  if (!table) return new Map();
  const known = [...roots].filter(([, root]) => whereIs(root) !== "unknown");
  const trees = new Map(known.map(([key]): [Key, Tree] => [key, { bytes: 0, members: [] }]));
  const living = known.filter(([, root]) => whereIs(root) === "here" && isAlive(table.get(root.pid), root));
  const left = living.flatMap(([key]) =>
    (seen.get(key) ?? []).flatMap((one): [number, Key][] =>
      isAlive(table.get(one.pid), one) ? [[one.pid, key]] : [],
    ),
  );
  // Roots last: a tree inside another is its own.
  const keyOf = ownersIn(
    table,
    new Map([...left, ...living.map(([key, { pid }]): [number, Key] => [pid, key])]),
  );
  for (const [pid, row] of table) {
    const owner = keyOf(pid);
    const tree = owner && trees.get(owner.key);
    if (!tree) continue;
    tree.bytes += row.bytes();
    tree.members.push(identityWith(pid, row.startTicks));
  }
  return trees;
}

type Table = ReadonlyMap<number, MeasuredRow>;

function isAlive(row: MeasuredRow | undefined, { startTicks }: ProcessIdentity): boolean {
  return row !== undefined && !hasEnded(row) && sameStart(startTicks, row.startTicks) === true;
}

/** Finds a process's owner: the nearest root above it; the owner of its own group wins over its parent's. */
function ownersIn<Key>(table: Table, keyByRoot: ReadonlyMap<number, Key>) {
  const owners = new Map<number, { key: Key } | undefined>();
  const byRoot = new Map([...keyByRoot].map(([pid, key]) => [pid, { key }]));
  const ownerOf = (pid: number): { key: Key } | undefined => {
    if (owners.has(pid)) return owners.get(pid);
    // Entered first, because a table that was read while pids were reused may contain a cycle.
    owners.set(pid, undefined);
    const row = table.get(pid);
    if (!row) return undefined;
    const owner = byRoot.get(pid) ?? byRoot.get(row.group) ?? byRoot.get(row.session) ?? ownerOf(row.parent);
    owners.set(pid, owner);
    return owner;
  };
  return ownerOf;
}
