// One scan of the whole process table, shared by all sessions that wait for it.
// Bun has no call that lists a folder before it returns.
import { readdirSync } from "node:fs";
// Bun has no call that counts the processors of the machine: `navigator.hardwareConcurrency` counts ours.
import { cpus } from "node:os";
import { identityOf, identityWith, type ProcessStat, readProc, readStat } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { textAt } from "./system.ts";

/** The variable that every process of a session inherits. */
export const markerVariable = "PARALLEL_CLAUDE_ATTEMPT";

/** The variable that says how deeply a process is nested in sessions; absent outside of sessions. */
export const depthVariable = "PARALLEL_CLAUDE_DEPTH";

/** One scan of the process table. */
export interface Look {
  /** Living processes by marker, of those requested. */
  byMarker: Map<string, ProcessIdentity[]>;
  /**
   * False if some process could not be read: it may have ended since the table was listed, after starting one that was
   * not listed.
   */
  isWhole: boolean;
}

/** Finds all processes with one of these markers. `among`: on Linux, only these are read. */
export function lookForMarkers(markers: ReadonlySet<string>, among?: readonly number[]): Look {
  const byMarker = new Map<string, ProcessIdentity[]>();
  let isWhole = true;
  const seen: Seen = {
    marked: (marker, pid) => {
      const identity = identityOf(pid);
      if (!identity) isWhole = false;
      else byMarker.set(marker, [...(byMarker.get(marker) ?? []), identity]);
    },
    missed: () => {
      isWhole = false;
    },
  };
  if (process.platform === "linux") eachMarkedOnLinux(markers, seen, among);
  else if (process.platform === "darwin") eachMarkedOnMac(markers, seen);
  return { byMarker, isWhole };
}

interface Seen {
  marked(marker: string, pid: number): void;
  /** Called for a process that could not be read. */
  missed(): void;
}

/** A living process, as the table shows it. */
export type ProcessRow = ProcessStat;
export type ProcessTable = ReadonlyMap<number, ProcessRow>;

/** All living processes, by pid; empty if the system does not list them. `missed`: a process ended meanwhile. */
export function processTable(missed: () => void = () => undefined): ProcessTable {
  if (process.platform === "win32") return new Map();
  const rows = process.platform === "linux" ? rowsOnLinux(missed) : rowsInPs();
  return new Map(rows.filter(([, { state }]) => !/^[ZX]/.test(state)));
}

/**
 * These processes and all their descendants, from the kernel's lists of children (Linux). Far less to read than the whole
 * table if thousands of other processes run. Undefined if the kernel keeps no such lists.
 */
export function tableBelow(pids: Iterable<number>, missed: () => void): ProcessTable | undefined {
  const rows = new Map<number, ProcessRow>();
  const open = [...pids];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (rows.has(next)) continue;
    const stat = readStat(next);
    const children = stat ? childrenOf(next) : [];
    if (!children) return undefined;
    if (!stat) missed();
    else if (!/^[ZX]/.test(stat.state)) rows.set(next, stat);
    open.push(...children);
  }
  return rows;
}

/**
 * The children of all threads of a process (Linux). Empty if it has gone, undefined if the kernel does not list them.
 */
export function childrenOf(pid: number): number[] | undefined {
  const threads = namesAt(`/proc/${pid}/task`);
  const texts = threads.map((thread) => textAt(`/proc/${pid}/task/${thread}/children`));
  if (texts.length > 0 && texts.every((text) => text === undefined) && readStat(pid)) return undefined;
  return texts.flatMap((text) => (text ?? "").split(" ").filter(Boolean).map(Number));
}

function namesAt(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Ended between two calls.
    return [];
  }
}

/** Who a process of the table is. */
export function identityIn(table: ProcessTable, pid: number): ProcessIdentity | undefined {
  const row = table.get(pid);
  return row ? identityWith(pid, row.startTicks) : undefined;
}

/** All descendants of these, children before grandchildren, without these themselves. */
export function descendantsIn(table: ProcessTable, pids: Iterable<number>): Set<number> {
  const children = Map.groupBy(table, ([, { parent }]) => parent);
  const found = new Set<number>();
  const open = [...pids];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [child] of children.get(next) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      open.push(child);
    }
  }
  return found;
}

/** All descendants of a process, children before grandchildren. Empty if the system cannot list them. */
export function descendantsOf(pid: number): ProcessIdentity[] {
  const table = processTable();
  return [...descendantsIn(table, [pid])].flatMap((child) => identityIn(table, child) ?? []);
}

/** The session that we run in, if any: of all processes above us that have our marker, the nearest. */
export function sessionAround(environment: Record<string, string | undefined>): ProcessIdentity | undefined {
  const marker = environment[markerVariable];
  if (marker === undefined) return undefined;
  const table = processTable();
  const marked = new Map(
    (lookForMarkers(new Set([marker])).byMarker.get(marker) ?? []).map((one) => [one.pid, one]),
  );
  let found: ProcessIdentity | undefined;
  // Shells between us and the session may have removed the marker from the environment, so all processes above us are
  // read.
  for (let pid = table.get(process.pid)?.parent; pid !== undefined && pid > 1; pid = table.get(pid)?.parent)
    found = marked.get(pid) ?? found;
  return found;
}

/** The arguments of a process, with any title that it set for itself; empty if unreadable. */
export function commandOf(pid: number): string[] {
  if (process.platform === "linux") {
    const text = readProc(pid, "cmdline")?.toString("latin1") ?? "";
    return text.split(/\0+/).filter((word) => word !== "");
  }
  if (process.platform === "win32") return [];
  const { stdout } = Bun.spawnSync(["/bin/ps", "-wwo", "command=", "-p", String(pid)], {
    env: { LC_ALL: "C" },
  });
  return stdout.toString().trim().split(/ +/);
}

const prefix = Buffer.from(`${markerVariable}=`);

function eachMarkedOnLinux(
  markers: ReadonlySet<string>,
  seen: Seen,
  among: readonly number[] = pidsOnLinux(),
): void {
  const now = performance.now();
  const isRecent = now - lookedAt < comeRoundMs();
  const before = isRecent ? withoutMarker : new Set();
  const emptyBefore = isRecent ? withEmpty : new Set();
  lookedAt = now;
  withoutMarker = new Set();
  withEmpty = new Set();
  for (const pid of among) {
    if (before.has(pid)) {
      withoutMarker.add(pid);
      continue;
    }
    const environment = readProc(pid, "environ");
    if (environment?.length === 0) {
      // It may be replacing itself with another program right now. One that is empty twice counts as empty, but may
      // change later.
      if (!emptyBefore.has(pid)) seen.missed();
      withEmpty.add(pid);
      continue;
    }
    if (!environment) seen.missed();
    const begin = environment?.indexOf(prefix) ?? -1;
    if (!environment || begin < 0) {
      withoutMarker.add(pid);
      continue;
    }
    const end = environment.indexOf(0, begin);
    const marker = environment.toString("latin1", begin + prefix.length, end < 0 ? undefined : end);
    if (markers.has(marker)) seen.marked(marker, pid);
  }
}

// A process inherits its marker or never has one, and most processes belong to no session. So a process without one is
// not read again while its pid cannot have been reused. Unreadable ones (kernel threads, zombies, other users') cost the
// most.
let withoutMarker = new Set<number>();
/** Processes whose environment was empty. */
let withEmpty = new Set<number>();
let lookedAt = Number.NEGATIVE_INFINITY;

/**
 * An upper bound of what one processor starts in a millisecond, processes and threads: the fastest thread takes 10 µs.
 */
const mostStartsPerMs = 100;

// The shortest time after which a pid is reused, in milliseconds: when all others have been used.
function comeRoundMs(): number {
  knownComeRoundMs ??= Number(textAt("/proc/sys/kernel/pid_max") ?? 0) / (mostStartsPerMs * cpus().length);
  return knownComeRoundMs;
}
let knownComeRoundMs: number | undefined;

// `ps -E` prints the environment of one's own processes after the command.
function eachMarkedOnMac(markers: ReadonlySet<string>, seen: Seen): void {
  const { stdout } = Bun.spawnSync(["/bin/ps", "-axEwwo", "pid=,command="], { env: { LC_ALL: "C" } });
  for (const line of stdout.toString().split("\n")) {
    const marker = new RegExp(`${markerVariable}=(\\S+)`).exec(line)?.[1];
    const pid = Number.parseInt(line, 10);
    if (marker !== undefined && markers.has(marker) && Number.isInteger(pid)) seen.marked(marker, pid);
  }
}

function rowsOnLinux(missed: () => void): [number, ProcessRow][] {
  return pidsOnLinux().flatMap((pid): [number, ProcessRow][] => {
    const stat = readStat(pid);
    if (stat) return [[pid, stat]];
    missed();
    return [];
  });
}

function rowsInPs(): [number, ProcessRow][] {
  const { stdout } = Bun.spawnSync(["/bin/ps", "-axo", "pid=,ppid=,pgid=,stat=,lstart="], {
    env: { LC_ALL: "C" },
  });
  return stdout
    .toString()
    .split("\n")
    .flatMap((line): [number, ProcessRow][] => {
      const [pid = "", parent, group, state = "", ...start] = line.trim().split(/\s+/);
      if (start.length === 0) return [];
      const row = { state, parent: Number(parent), group: Number(group), session: 0 };
      return [[Number(pid), { ...row, startTicks: start.join(" ") }]];
    });
}

/** Linux; `root` is a prefix of `/proc`. */
export function pidsOnLinux(root = ""): number[] {
  return readdirSync(`${root}/proc`).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}
