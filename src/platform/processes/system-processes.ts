// What we ask a system about its processes: one interface, with a file for each system.
import type { ProcessHome, ProcessIdentity } from "../process-identity.ts";

/** A process, as the system's table shows it. */
export interface ProcessRow {
  /** Its first letter is that of `ps`. A process whose state begins with `Z` or `X` has ended. */
  state: string;
  /** The pid of its parent. */
  parent: number;
  /** The pid of its process group's leader; 0 where the system has no groups. */
  group: number;
  /** The pid of its session's leader; 0 where the system does not say. */
  session: number;
  /** When it started, in the unit of an identity: ever greater numbers, where the system allows. */
  startTicks: string;
}

/** A process of the table, and how much memory it uses. */
export interface MeasuredRow extends ProcessRow {
  /** What would come free if it ended, in bytes; 0 if it has ended meanwhile. Read when called. */
  bytes(): number;
}

/** Who hears what a search for a variable finds. */
export interface Seen {
  /** Called for each process that has a wanted value. */
  marked(value: string, pid: number): void;
  /** Called for a process that could not be read: it may have ended after starting one that was not listed. */
  missed(): void;
}

/** The processes of one system. No call throws, and none waits for more than the system itself. */
export interface SystemProcesses {
  /** Where its processes live. It does not change. */
  home(): ProcessHome;

  /** The process that has this pid now, or has ended and not been reaped; undefined if there is none. */
  rowOf(pid: number): ProcessRow | undefined;

  /** Whether the pid is in use although `rowOf` cannot read the process, for lack of descriptors. */
  isUnreadable(pid: number): boolean;

  /** All processes, ended ones included. `missed`: one ended while the table was read. Empty if it is not listed. */
  table(missed: () => void): ReadonlyMap<number, ProcessRow>;

  /** All processes with their memory. Up to a few seconds old on some systems. Undefined if nothing is known. */
  measured(): ReadonlyMap<number, MeasuredRow> | undefined;

  /** The children of a process; empty if it has gone, undefined if the system keeps no such lists. */
  childrenOf(pid: number): number[] | undefined;

  /**
   * Finds the processes whose environment has the variable with one of these values. `among`: only these need be read,
   * where the system reads them one by one.
   */
  eachMarked(variable: string, values: ReadonlySet<string>, seen: Seen, among?: readonly number[]): void;

  /** The arguments of a process, with any title that it set for itself; empty if unreadable. */
  commandOf(pid: number): string[];

  /** The current time on the clock of `startTicks`; infinity where it is not such a number. */
  ticksNow(): number;

  /**
   * Whether two starts of the same pid are one process's, the first possibly written by an older program. Undefined if
   * that is unclear: then the process may live.
   */
  sameStart(stored: string, current: string): boolean | undefined;

  /** Signals every process of a group. False if none is left. */
  signalGroup(leader: number, signal: NodeJS.Signals): boolean;

  /** Signals exactly this process, never a later one with its pid. False if it has gone. */
  signal(process: Pick<ProcessIdentity, "pid" | "startTicks">, signal: NodeJS.Signals): boolean;

  /** Absent where each session leads a process group from its start. */
  readonly jobs?: SessionJobs;
}

/** What takes the place of process groups. */
export interface SessionJobs {
  /** Puts a process that was just started, and all that it will start, into a group that it leads. */
  gather(marker: string, leader: number): void;
  /** Finds the group of a session that another process started. */
  gatherAgain(marker: string, leader: number): void;
  /** Forgets a group with nothing left in it. */
  release(marker: string): void;
}
