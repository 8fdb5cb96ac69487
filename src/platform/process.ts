// Who a process is, whether it lives, and how to end it.
import { ownHome, whereIs } from "./process-home.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { processes } from "./processes/of-system.ts";
import type { ProcessRow } from "./processes/system-processes.ts";

export type Liveness = "alive" | "dead" | "unknown";

/** This process. */
export function ownIdentity(): ProcessIdentity {
  own ??= identityOf(process.pid);
  if (!own) throw new Error("Internal error: this process cannot be found in the process table");
  return own;
}
let own: ProcessIdentity | undefined;

/** The process that has this pid now; undefined if there is none, or only a zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startTicks = startOf(pid);
  return startTicks === undefined ? undefined : identityWith(pid, startTicks);
}

/** A child of ours that may have ended already. A zombie keeps its start time until it is reaped. */
export function identityOfChild(pid: number): ProcessIdentity {
  return identityWith(pid, processes().rowOf(pid)?.startTicks ?? "gone");
}

/** The process with this pid and start time, on this machine. */
export function identityWith(pid: number, startTicks: string): ProcessIdentity {
  const { boot, namespace, machine } = ownHome();
  // In the order of the schema, because identities are also compared as texts.
  return { boot, namespace, pid, startTicks, ...(machine === undefined ? {} : { machine }) };
}

/** Whether exactly this process still runs. A zombie counts as ended. */
export function livenessOf(identity: ProcessIdentity): Liveness {
  const where = whereIs(identity);
  if (where !== "here") return where;
  const startTicks = startOf(identity.pid);
  if (startTicks !== undefined) {
    const isSame = sameStart(identity.startTicks, startTicks);
    return isSame === undefined ? "unknown" : isSame ? "alive" : "dead";
  }
  // Without a free descriptor, every process would look dead; a signal needs none.
  return processes().isUnreadable(identity.pid) ? "unknown" : "dead";
}

/** Whether no process has this pid, or only a zombie. False if that cannot be seen. */
export function isGone(pid: number): boolean {
  return startOf(pid) === undefined && !processes().isUnreadable(pid);
}

/** The current time on the clock of `startTicks`; infinity where it is not such a number. */
export function ticksNow(): number {
  return processes().ticksNow();
}

/** Whether a process is the one that started us. */
export function isOurParent(identity: ProcessIdentity | undefined): identity is ProcessIdentity {
  return identity !== undefined && identity.pid === process.ppid && livenessOf(identity) === "alive";
}

/** Signals exactly this process, never a later one with its pid. False if it has gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return livenessOf(identity) === "alive" && processes().signal(identity, signal);
}

/** Signals every process of a group. False if none is left. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  return processes().signalGroup(leader, signal);
}

/** The process that has this pid now, a zombie too; undefined if there is none. */
export function rowOf(pid: number): ProcessRow | undefined {
  return processes().rowOf(pid);
}

/**
 * Whether two starts of the same pid are one process's, the first possibly written by an older program. Undefined if that
 * is unclear: then the process may live.
 */
export function sameStart(stored: string, current: string): boolean | undefined {
  return processes().sameStart(stored, current);
}

/** Whether a process of the table has ended, and only waits to be reaped. */
export function hasEnded({ state }: ProcessRow): boolean {
  return /^[ZX]/.test(state);
}

function startOf(pid: number): string | undefined {
  const row = processes().rowOf(pid);
  return row && !hasEnded(row) ? row.startTicks : undefined;
}
