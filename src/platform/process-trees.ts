// How much memory sessions use, with all processes that they started.
import { identityWith, type ProcessStat, statFrom } from "./process.ts";
import { whereIs } from "./process-home.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { pidsOnLinux } from "./process-table.ts";
import { Sampled } from "./sampled.ts";
import { type System, textAt, thisSystem } from "./system.ts";

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

/** A process of the table; on Windows without groups. */
interface Row extends ProcessStat {
  bytes(): number;
}
type Table = ReadonlyMap<number, Row>;

function isAlive(row: Row | undefined, { startTicks }: ProcessIdentity): boolean {
  return row !== undefined && !/^[ZX]/.test(row.state) && row.startTicks === startTicks;
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

function tableOf(system: System): Table | undefined {
  if (system.platform === "linux") return tableOfLinux(system);
  return system.platform === "win32" ? windowsTable.now() : macTable.now();
}

// --- Linux: one short file for each process, and one more for those of a session.

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
    // Without /proc, nothing is known.
    return undefined;
  }
}

// Resident minus shared pages. The executable of `claude` (200 MB and more) is in memory once for all sessions; counted
// for each, it would be most of the sum.
function privateBytesOf(statm: string): number {
  const [, resident = 0, shared = 0] = (textAt(statm) ?? "").split(" ").map(Number);
  return Number.isFinite(resident - shared) ? Math.max(0, resident - shared) * pageBytes() : 0;
}

// 16 or 64 kB on some ARM machines. The kernel passes it to each process as entry 6 of its auxiliary vector.
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

// --- macOS and Windows: a program must be run.

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
  // One run takes half a second of processor time.
  { everyMs: 5_000, waitsAtFirst: false },
);

/** The output of `ps`, with the start time in the last column, as in an identity. */
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

/** The output of our line of PowerShell. Processes there have no group, and their start time is unknown. */
export function tableFromWindows(output: string): Table | undefined {
  const rows = output.split("\n").flatMap((line): [number, Row][] => {
    const [, pid, parent, bytes] = /^(\d+) (\d+) (\d+)\s*$/.exec(line) ?? [];
    if (bytes === undefined) return [];
    const row = { parent: Number(parent), group: 0, session: 0, state: "", startTicks: "unknown" };
    return [[Number(pid), { ...row, bytes: () => Number(bytes) }]];
  });
  return rows.length === 0 ? undefined : new Map(rows);
}
