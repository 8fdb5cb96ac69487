// One look at the whole process table, for which several sessions may wait at once.
// Bun has no call that lists a folder before it returns.
import { readdirSync } from "node:fs";
// Bun has no call that counts the processors of the machine: `navigator.hardwareConcurrency` counts ours.
import { cpus } from "node:os";
import { identityOf, identityWith, type ProcessStat, readProc, readStat } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { textAt } from "./system.ts";

/** The variable that every process of a session inherits. */
export const markerVariable = "PARALLEL_CLAUDE_ATTEMPT";

/** The variable that says how many sessions deep a process is; absent outside of all. */
export const depthVariable = "PARALLEL_CLAUDE_DEPTH";

/** One look at the process table. */
export interface Look {
  /** Living processes by the marker that they carry, of those asked for. */
  byMarker: Map<string, ProcessIdentity[]>;
  /**
   * False when some process could not be asked: it may have ended since the table was listed, and have started another
   * one before, which was not listed yet.
   */
  isWhole: boolean;
}

/** Looks for all processes that carry one of these markers. `among`: on Linux, only these are asked. */
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
  /** A process that could not be asked. */
  missed(): void;
}

/** A living process, as the table shows it. */
export type ProcessRow = ProcessStat;
export type ProcessTable = ReadonlyMap<number, ProcessRow>;

/** All living processes, by their pids. Where the system cannot tell: none. `missed`: one has ended meanwhile. */
export function processTable(missed: () => void = () => undefined): ProcessTable {
  if (process.platform === "win32") return new Map();
  const rows = process.platform === "linux" ? rowsOnLinux(missed) : rowsInPs();
  return new Map(rows.filter(([, { state }]) => !/^[ZX]/.test(state)));
}

/**
 * These processes and all that descend from them, out of what the kernel keeps for each (Linux): where thousands of
 * others run, that is far less to read than the whole table. Nothing where the kernel does not keep it.
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

/** The children of all threads of a process (Linux); none where it has gone, nothing where the kernel does not tell. */
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
    // Gone between two looks.
    return [];
  }
}

/** Who a process of the table is. */
export function identityIn(table: ProcessTable, pid: number): ProcessIdentity | undefined {
  const row = table.get(pid);
  return row ? identityWith(pid, row.startTicks) : undefined;
}

/** All that descend from these, children before grandchildren, they themselves left out. */
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

/** All that descend from a process, children before grandchildren. Where the system cannot tell: none. */
export function descendantsOf(pid: number): ProcessIdentity[] {
  const table = processTable();
  return [...descendantsIn(table, [pid])].flatMap((child) => identityIn(table, child) ?? []);
}

/** The session that we run in, where we do: of all above us that carry our marker, the first. */
export function sessionAround(environment: Record<string, string | undefined>): ProcessIdentity | undefined {
  const marker = environment[markerVariable];
  if (marker === undefined) return undefined;
  const table = processTable();
  const marked = new Map(
    (lookForMarkers(new Set([marker])).byMarker.get(marker) ?? []).map((one) => [one.pid, one]),
  );
  let found: ProcessIdentity | undefined;
  // Shells between us and the session may have cleared what they pass on, so all above us are asked.
  for (let pid = table.get(process.pid)?.parent; pid !== undefined && pid > 1; pid = table.get(pid)?.parent)
    found = marked.get(pid) ?? found;
  return found;
}

/** The words of a process's command line, the title that it gave itself included; nothing where it cannot be read. */
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
      // It may become another program in this moment. One that shows nothing twice has nothing, but may do so later.
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

// A process inherits its marker or never has one, and most of a machine are nobody's session: whoever had none at the
// last look is not asked again, as long as its pid cannot have become another one's. Those who cannot be asked at all,
// kernel threads and zombies and what is another user's, are the dearest ones.
let withoutMarker = new Set<number>();
/** Those that showed an empty environment. */
let withEmpty = new Set<number>();
let lookedAt = Number.NEGATIVE_INFINITY;

/** More processes and threads than a processor starts in a millisecond: the quickest of threads takes 10 µs. */
const mostStartsPerMs = 100;

// A pid comes round when all others have been given out, in milliseconds at the least.
function comeRoundMs(): number {
  knownComeRoundMs ??= Number(textAt("/proc/sys/kernel/pid_max") ?? 0) / (mostStartsPerMs * cpus().length);
  return knownComeRoundMs;
}
let knownComeRoundMs: number | undefined;

// `ps -E` shows the environment of one's own processes behind the command.
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

/** Linux; `root` stands before `/proc`. */
export function pidsOnLinux(root = ""): number[] {
  return readdirSync(`${root}/proc`).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}
