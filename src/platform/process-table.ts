// One scan of the whole process table, shared by all sessions that wait for it.
import { hasEnded, identityOf, identityWith } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { processes } from "./processes/of-system.ts";
import type { ProcessRow, Seen } from "./processes/system-processes.ts";
import { markerVariable } from "./session-variables.ts";

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
  processes().eachMarked(markerVariable, markers, seen, among);
  return { byMarker, isWhole };
}

/** Processes as the system's table shows them, by pid. */
export type ProcessTable = ReadonlyMap<number, ProcessRow>;

/** All living processes, by pid; empty if the system does not list them. `missed`: a process ended meanwhile. */
export function processTable(missed: () => void = () => undefined): ProcessTable {
  return new Map([...processes().table(missed)].filter(([, row]) => !hasEnded(row)));
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
    const row = processes().rowOf(next);
    const children = row ? childrenOf(next) : [];
    if (!children) return undefined;
    if (!row) missed();
    else if (!hasEnded(row)) rows.set(next, row);
    open.push(...children);
  }
  return rows;
}

/** The children of a process. Empty if it has gone, undefined if the system keeps no such lists. */
export function childrenOf(pid: number): number[] | undefined {
  return processes().childrenOf(pid);
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
  return processes().commandOf(pid);
}
