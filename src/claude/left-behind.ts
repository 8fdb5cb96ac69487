// Which processes belong to sessions that have ended: one look at the machine, and what follows from it.
import { childrenThatCame, orphansIn } from "../platform/orphans.ts";
import { livenessOf, ownIdentity } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import {
  descendantsIn,
  identityIn,
  lookForMarkers,
  type ProcessRow,
  type ProcessTable,
  processTable,
  tableBelow,
} from "../platform/process-table.ts";

/** What has ended, and what is known of it. */
export interface Swept {
  /** What its processes carry in their environment, unless they have emptied it. */
  markers: readonly string[];
  /** The session itself, which led a group. */
  leader?: ProcessIdentity;
  /** When the leader had its pid for the last time, in ticks; nothing where nobody saw that. */
  goneAt?: number | undefined;
  /** What was seen in its tree while it ran. */
  members?: readonly ProcessIdentity[];
  /** Whether it was a child of ours, so that what lost its parents came to us. */
  isOurs?: boolean;
  /** Whether nobody comes after it: then shared daemons end too. */
  isLast?: boolean;
}

/** One look at the machine. */
export interface Surroundings {
  /** Living processes by the marker that they carry. */
  byMarker: ReadonlyMap<string, ProcessIdentity[]>;
  table: ProcessTable;
  /** Those that came to us when their parents ended. */
  orphans: readonly [number, ProcessRow][];
  /** False when some process ended before it could be asked, which may have started another one. */
  isWhole: boolean;
}

/** What a look is for. */
export interface Asked {
  sweeping: readonly Swept[];
  /** Sessions that run, by their markers. */
  running: ReadonlyMap<string, ProcessIdentity>;
}

export function lookAround({ sweeping, running }: Asked): Surroundings {
  const markers = new Set([...sweeping.flatMap((one) => one.markers), ...running.keys()]);
  const { byMarker, isWhole } = lookForMarkers(markers);
  let missed = false;
  const miss = () => {
    missed = true;
  };
  const table = tableOfOurs({ sweeping, running }, byMarker, miss) ?? processTable(miss);
  return { byMarker, table, orphans: orphansIn(table), isWhole: isWhole && !missed };
}

// What our own sessions left has come to us, or carries a marker, or was seen. Only what an earlier runner started may
// be anywhere.
function tableOfOurs(
  { sweeping, running }: Asked,
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

/** Of each that has ended, what is left. `running`: sessions that run, by their markers. */
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
    // All who could have started it have ended, and one of these did so last.
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

// What carries the marker of a session that runs is that one's, wherever it is now; and nobody ends himself.
function sparedIn({ byMarker }: Surroundings, running: ReadonlyMap<string, ProcessIdentity>): Set<number> {
  const marked = [...running.keys()].flatMap((marker) => byMarker.get(marker) ?? []);
  return new Set([ownIdentity(), ...running.values(), ...marked].map(({ pid }) => pid));
}

// An orphan that has emptied its environment is older than none of the sessions that could have started it.
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

// No process gets a pid by which a group or a session is still called. So as long as nobody else has the leader's pid,
// its group is the one that it led. Whoever began after it had gone may be in the group of somebody who had that pid
// in between.
function inGroup(table: ProcessTable, { leader, goneAt }: Swept): number[] {
  if (!leader || goneAt === undefined) return [];
  const now = table.get(leader.pid);
  if (now && now.startTicks !== leader.startTicks) return [];
  return [...table].flatMap(([pid, { group, session, startTicks }]) => {
    const isInIt = group === leader.pid || session === leader.pid;
    return isInIt && (goneAt === Number.POSITIVE_INFINITY || Number(startTicks) <= goneAt) ? [pid] : [];
  });
}

function isIn(table: ProcessTable, { pid, startTicks }: ProcessIdentity): boolean {
  return table.get(pid)?.startTicks === startTicks;
}
