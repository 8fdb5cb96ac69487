// One look at the whole process table, for whom several sessions may wait at once.
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { identityOf, readProc, readStat } from "./process.ts";
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

/** Looks for all processes that carry one of these markers. */
export function lookForMarkers(markers: ReadonlySet<string>): Look {
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
  if (process.platform === "linux") eachMarkedOnLinux(markers, seen);
  else if (process.platform === "darwin") eachMarkedOnMac(markers, seen);
  return { byMarker, isWhole };
}

interface Seen {
  marked(marker: string, pid: number): void;
  /** A process that could not be asked. */
  missed(): void;
}

/** All that descend from a process, children before grandchildren. Where the system cannot tell: none. */
export function descendantsOf(pid: number): ProcessIdentity[] {
  const children = Map.groupBy(parents(), ({ parent }) => parent);
  const found: number[] = [];
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of children.get(next) ?? []) {
      found.push(child.pid);
      open.push(child.pid);
    }
  }
  return found.flatMap((child) => identityOf(child) ?? []);
}

const prefix = Buffer.from(`${markerVariable}=`);

function eachMarkedOnLinux(markers: ReadonlySet<string>, seen: Seen): void {
  const now = performance.now();
  const before = now - lookedAt < comeRoundMs() ? withoutMarker : new Set();
  lookedAt = now;
  withoutMarker = new Set();
  for (const pid of pidsOnLinux()) {
    if (before.has(pid)) {
      withoutMarker.add(pid);
      continue;
    }
    const environment = readProc(pid, "environ");
    // Empty is what a process shows in the moment in which it becomes another program, too.
    if (!environment || environment.length === 0) seen.missed();
    const begin = environment?.indexOf(prefix) ?? -1;
    if (!environment || begin < 0) {
      if (environment?.length !== 0) withoutMarker.add(pid);
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

function parents(): { pid: number; parent: number }[] {
  if (process.platform === "linux") {
    return pidsOnLinux().flatMap((pid) => {
      const stat = readStat(pid);
      return stat ? [{ pid, parent: stat.parent }] : [];
    });
  }
  if (process.platform === "win32") return [];
  const { stdout } = Bun.spawnSync(["/bin/ps", "-axo", "pid=,ppid="], { env: { LC_ALL: "C" } });
  return stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => {
      const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent };
    });
}

/** Linux; `root` stands before `/proc`. */
export function pidsOnLinux(root = ""): number[] {
  return readdirSync(`${root}/proc`).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}
