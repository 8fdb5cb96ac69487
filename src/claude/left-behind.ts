// Which processes belong to ended sessions, from one scan of the machine.
import { childrenThatCame, orphansIn } from "../platform/orphans.ts";
import { livenessOf, ownIdentity, sameStart } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import {
  descendantsIn,
  identityIn,
  lookForMarkers,
  type ProcessTable,
  processTable,
  tableBelow,
} from "../platform/process-table.ts";
import type { ProcessRow } from "../platform/processes/system-processes.ts";

/** An ended session, and what is known of it. */
export interface Swept {
  /** The marker in the environment of its processes, unless they emptied it. */
  markers: readonly string[];
  /** The session itself, which led a process group. */
  leader?: ProcessIdentity;
  /** When the leader was last known to have its pid, in ticks; undefined if nobody saw that. */
  goneAt?: number | undefined;
  /** What was seen in its tree while it ran. */
  members?: readonly ProcessIdentity[];
  /** Whether it was our child, so that its orphans came to us. */
  isOurs?: boolean;
  /** Whether it is the last one: then shared daemons end too. */
  isLast?: boolean;
}

/** One scan of the machine. */
export interface Surroundings {
  /** Living processes by marker. */
  byMarker: ReadonlyMap<string, ProcessIdentity[]>;
  table: ProcessTable;
  /** Processes that came to us when their parents ended. */
  orphans: readonly [number, ProcessRow][];
  /** False if some process ended before it could be read, possibly after starting another one. */
  isWhole: boolean;
}

/** What a scan is for. */
export interface SessionsAround {
  sweeping: readonly Swept[];
  /** Running sessions, by their markers. */
  running: ReadonlyMap<string, ProcessIdentity>;
}

export function lookAround({ sweeping, running }: SessionsAround): Surroundings {
  const markers = new Set([...sweeping.flatMap((one) => one.markers), ...running.keys()]);
  const { byMarker, isWhole } = lookForMarkers(markers);
  let missed = false;
  const miss = () => {
    missed = true;
  };
  const table = tableOfOurs({ sweeping, running }, byMarker, miss) ?? processTable(miss);
  return { byMarker, table, orphans: orphansIn(table), isWhole: isWhole && !missed };
}

// Descendants of our own sessions came to us, have a marker, or were seen. Only those of an earlier runner's sessions may
// be anywhere.
function tableOfOurs(
  { sweeping, running }: SessionsAround,
  byMarker: ReadonlyMap<string, ProcessIdentity[]>,
  missed: () => void,
): ProcessTable | undefined {
  if (!sweeping.every(({ isOurs }) => isOurs)) return undefined;
  const came = childrenThatCame();
  if (!came) return undefined;
  const theirs = new Set([...running.values()].map(({ pid }) => pid));
  const known = sweeping.flatMap(({ markers, members = [] }) => [
    ...markers.flatMap((marker) => byMarker.get(marker) ?? []),
    ...members.filter((member) => livenessOf(member) === "alive"),
  ]);
  const roots = [...came.filter((pid) => !theirs.has(pid)), ...known.map(({ pid }) => pid)];
  return tableBelow(roots, missed);
}

/** What is known of the sessions around one. */
export interface Around {
  /** What was seen in its tree before. */
  members: readonly ProcessIdentity[];
  /** Running sessions, by their markers. */
  running: ReadonlyMap<string, ProcessIdentity>;
}

/**
 * What a running session runs beside its own process; also what has left its tree with an emptied environment, and may
 * be another session's.
 */
export function processesBeside(
  { marker, identity }: { marker: string; identity: ProcessIdentity },
  { members, running }: Around,
): ProcessIdentity[] {
  const below = tableBelow([identity.pid], () => undefined) ?? processTable();
  const children = [...descendantsIn(below, [identity.pid])].flatMap((pid) => identityIn(below, pid) ?? []);
  const look = lookAround({ sweeping: [], running: new Map(running).set(marker, identity) });
  const marked = look.byMarker.get(marker) ?? [];
  const seen = members.filter((member) => livenessOf(member) === "alive");
  const spared = sparedIn(look, running);
  const escaped = look.orphans.flatMap(([pid, row]) =>
    !spared.has(pid) && mayBelongTo([identity], row) ? (identityIn(look.table, pid) ?? []) : [],
  );
  const all = new Map([...children, ...marked, ...seen, ...escaped].map((one) => [one.pid, one]));
  all.delete(identity.pid);
  return [...all.values()];
}

/** What is left of each ended session. `running`: running sessions, by their markers. */
export function leftBehind<One extends Swept>(
  look: Surroundings,
  sweeping: readonly One[],
  running: ReadonlyMap<string, ProcessIdentity>,
): Map<One, ProcessIdentity[]> {
  const { table } = look;
  const spared = sparedIn(look, running);
  const orphans = look.orphans.filter(([, row]) => !mayBelongTo(running.values(), row));
  const owned = new Map<number, One>();
  for (const one of sweeping) {
    const roots = [...marked(look, one), ...seen(table, one), ...inGroup(table, one)];
    for (const pid of [...roots, ...descendantsIn(table, roots)]) if (!owned.has(pid)) owned.set(pid, one);
  }
  for (const [pid, row] of orphans) {
    // All that could have started it have ended, one of these last.
    const owner = sweeping.find(({ leader }) => leader && mayBelongTo([leader], row)) ?? sweeping[0];
    if (!owner) continue;
    for (const each of [pid, ...descendantsIn(table, [pid])]) if (!owned.has(each)) owned.set(each, owner);
  }
  const found = new Map<One, ProcessIdentity[]>();
  for (const [pid, one] of owned) {
    const identity = identityIn(table, pid);
    if (identity && !spared.has(pid)) found.set(one, [...(found.get(one) ?? []), identity]);
  }
  return found;
}

// A process with the marker of a running session belongs to it, wherever it is; and nobody ends themselves.
function sparedIn({ byMarker }: Surroundings, running: ReadonlyMap<string, ProcessIdentity>): Set<number> {
  const marked = [...running.keys()].flatMap((marker) => byMarker.get(marker) ?? []);
  return new Set([ownIdentity(), ...running.values(), ...marked].map(({ pid }) => pid));
}

// An orphan with an emptied environment is no older than the sessions that could have started it.
function mayBelongTo(sessions: Iterable<ProcessIdentity>, { startTicks }: ProcessRow): boolean {
  return [...sessions].some((session) => Number(session.startTicks) <= Number(startTicks));
}

function marked({ byMarker, table }: Surroundings, { markers }: Swept): number[] {
  const carriers = markers.flatMap((marker) => byMarker.get(marker) ?? []);
  return carriers.flatMap((identity) => (isIn(table, identity) ? identity.pid : []));
}

function seen(table: ProcessTable, { members = [] }: Swept): number[] {
  return members.flatMap((identity) => (isIn(table, identity) ? identity.pid : []));
}

// No process gets a pid that still names a group or a session. So until another process has the leader's pid, its group
// is the one that it led. A process that began later may be in the group of one that had the pid in between.
function inGroup(table: ProcessTable, { leader, goneAt }: Swept): number[] {
  if (!leader || goneAt === undefined) return [];
  const now = table.get(leader.pid);
  if (now && sameStart(leader.startTicks, now.startTicks) !== true) return [];
  return [...table].flatMap(([pid, { group, session, startTicks }]) => {
    const isInIt = group === leader.pid || session === leader.pid;
    return isInIt && (goneAt === Number.POSITIVE_INFINITY || Number(startTicks) <= goneAt) ? [pid] : [];
  });
}

function isIn(table: ProcessTable, { pid, startTicks }: ProcessIdentity): boolean {
  const row = table.get(pid);
  return row !== undefined && sameStart(startTicks, row.startTicks) === true;
}
