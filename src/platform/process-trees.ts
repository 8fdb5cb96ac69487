// How much memory sessions take, with all the processes that they started.

import { identityWith, type ProcessStat, statFrom } from "./process.ts";
import { whereIs } from "./process-home.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { pidsOnLinux } from "./process-table.ts";
import { Sampled } from "./sampled.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/** A session's tree. */
export interface Tree {
  bytes: number;
  /** All processes in it, and those that were in it and live on elsewhere, with what they started. */
  members: ProcessIdentity[];
}

/**
 * The trees as they are now, by the key of their root: the root, all that descend from it, and all whose process
 * group or session it leads, though their parents have gone. A root that has ended has an empty one. Absent is what
 * cannot be told: a root of another pid namespace, and on Windows every root until the first answer has come.
 *
 * `seen`: members of earlier looks. They still count, with all that they started, when they have left the tree. What was
 * double-forked between two looks is missed: only its environment tells whose it is, and reading all environments is
 * left to the sweep at a session's end. Pages that a fork shares with its parent count for both.
 *
 * On macOS and Windows it is what was so a moment ago, and pages shared with other processes count for each.
 * Never throws.
 */
export function treesOf<Key>(
  roots: ReadonlyMap<Key, ProcessIdentity>,
  seen: ReadonlyMap<Key, readonly ProcessIdentity[]> = new Map(),
  system: System = thisSystem,
): Map<Key, Tree> {
  const table = roots.size === 0 ? undefined : tableOf(system);
  if (!table) return new Map();
  const known = [...roots].filter(([, root]) => whereIs(root) !== "unknown");
  const trees = new Map(known.map(([key]): [Key, Tree] => [key, { bytes: 0, members: [] }]));
  const living = known.filter(([, root]) => whereIs(root) === "here" && isAlive(table.get(root.pid), root));
  const left = living.flatMap(([key]) =>
    (seen.get(key) ?? []).flatMap((one): [number, Key][] =>
      isAlive(table.get(one.pid), one) ? [[one.pid, key]] : [],
    ),
  );
  // The roots come last: a tree within another is its own.
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

/** A process of the table; on Windows without groups. */
interface Row extends ProcessStat {
  bytes(): number;
}
type Table = ReadonlyMap<number, Row>;

function isAlive(row: Row | undefined, { startTicks }: ProcessIdentity): boolean {
  return row !== undefined && !/^[ZX]/.test(row.state) && row.startTicks === startTicks;
}

/** Tells whose a process is: the nearest root's above it, and its own group's before that of its parent. */
function ownersIn<Key>(table: Table, keyByRoot: ReadonlyMap<number, Key>) {
  const owners = new Map<number, { key: Key } | undefined>();
  const byRoot = new Map([...keyByRoot].map(([pid, key]) => [pid, { key }]));
  const ownerOf = (pid: number): { key: Key } | undefined => {
    if (owners.has(pid)) return owners.get(pid);
    // Entered first: a table that was read while pids came into use again may lead round in a circle.
    owners.set(pid, undefined);
    const row = table.get(pid);
    if (!row) return undefined;
    const owner = byRoot.get(pid) ?? byRoot.get(row.group) ?? byRoot.get(row.session) ?? ownerOf(row.parent);
    owners.set(pid, owner);
    return owner;
  };
  return ownerOf;
}

function tableOf(system: System): Table | undefined {
  if (system.platform === "linux") return tableOfLinux(system);
  return system.platform === "win32" ? windowsTable.now() : macTable.now();
}

// --- Linux: one short file a process, and one more of those that belong to a session.

function tableOfLinux({ root }: System): Table | undefined {
  try {
    const rows = pidsOnLinux(root).flatMap((pid): [number, Row][] => {
      const text = textAt(`${root}/proc/${pid}/stat`);
      return text
        ? [[pid, { ...statFrom(text), bytes: () => privateBytesOf(`${root}/proc/${pid}/statm`) }]]
        : [];
    });
    return new Map(rows);
  } catch {
    // There is no /proc to look at, so nothing can be told.
    return undefined;
  }
}

// What is resident less what is shared. The pages of the executable are in memory once however many sessions run it,
// and `claude` is an executable of 200 MB and more: counted for each session, they would be most of the sum.
function privateBytesOf(statm: string): number {
  const [, resident = 0, shared = 0] = (textAt(statm) ?? "").split(" ").map(Number);
  return Number.isFinite(resident - shared) ? Math.max(0, resident - shared) * pageBytes() : 0;
}

// 16 or 64 kB on some ARM machines. The kernel tells each process in its auxiliary vector, as entry 6.
function pageBytes(): number {
  knownPageBytes ??= pageBytesIn(Buffer.from(textAt("/proc/self/auxv") ?? "", "latin1")) ?? 4096;
  return knownPageBytes;
}
let knownPageBytes: number | undefined;

/** The page size in the auxiliary vector of a 64-bit process. */
function pageBytesIn(vector: Buffer): number | undefined {
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8));
  }
  return undefined;
}

// --- macOS and Windows, where a program has to be asked.

const macTable = new Sampled(["/bin/ps", "-axo", "pid=,ppid=,pgid=,stat=,rss=,lstart="], tableInPs, {
  everyMs: 1_000,
  waitsAtFirst: true,
});

const windowsTable = new Sampled(
  [
    "powershell.exe",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.WorkingSetSize)" }',
  ],
  tableFromWindows,
  // It costs half a second of processor time.
  { everyMs: 5_000, waitsAtFirst: false },
);

/** Processes as `ps` prints them, the start at the end, as it stands in an identity. */
export function tableInPs(output: string): Table | undefined {
  const rows = output.split("\n").flatMap((line): [number, Row][] => {
    const [pid = "", parent, group, state = "", kilobytes, ...start] = line.trim().split(/\s+/);
    if (start.length === 0) return [];
    const bytes = Number(kilobytes) * 1024;
    const row = {
      parent: Number(parent),
      group: Number(group),
      session: 0,
      state,
      startTicks: start.join(" "),
    };
    return [[Number(pid), { ...row, bytes: () => bytes }]];
  });
  return rows.length === 0 ? undefined : new Map(rows);
}

/** Processes as our line of PowerShell prints them; a process there has no group, and its start is not known to us. */
export function tableFromWindows(output: string): Table | undefined {
  const rows = output.split("\n").flatMap((line): [number, Row][] => {
    const [, pid, parent, bytes] = /^(\d+) (\d+) (\d+)\s*$/.exec(line) ?? [];
    if (bytes === undefined) return [];
    const row = { parent: Number(parent), group: 0, session: 0, state: "", startTicks: "unknown" };
    return [[Number(pid), { ...row, bytes: () => Number(bytes) }]];
  });
  return rows.length === 0 ? undefined : new Map(rows);
}
