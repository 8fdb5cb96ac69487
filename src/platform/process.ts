// Who a process is, whether it lives, and how it is ended.
// Bun has no call that reads a file before it returns; a process is looked at in one moment.
import { readFileSync } from "node:fs";
import { ownHome, whereIs } from "./process-home.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { textAt } from "./system.ts";

export type Liveness = "alive" | "dead" | "unknown";

/** This process. */
export function ownIdentity(): ProcessIdentity {
  own ??= identityOf(process.pid);
  if (!own) throw new Error("Internal error: this process cannot be found in the process table");
  return own;
}
let own: ProcessIdentity | undefined;

/** The process that has this pid now; nothing when there is none, or only a zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startTicks = startOf(pid);
  return startTicks === undefined ? undefined : identityWith(pid, startTicks);
}

/** A child of ours that may have ended already: as a zombie, it keeps its start time until it is reaped. */
export function identityOfChild(pid: number): ProcessIdentity {
  const startTicks = process.platform === "linux" ? readStat(pid)?.startTicks : startOf(pid);
  return identityWith(pid, startTicks ?? "gone");
}

/** The process that has this pid and began then, on this machine. */
export function identityWith(pid: number, startTicks: string): ProcessIdentity {
  const { boot, namespace, machine } = ownHome();
  // In the order of the schema: identities are compared as texts, too.
  return { boot, namespace, pid, startTicks, ...(machine === undefined ? {} : { machine }) };
}

/** Whether exactly this process still runs. A zombie has ended. */
export function livenessOf(identity: ProcessIdentity): Liveness {
  const where = whereIs(identity);
  if (where !== "here") return where;
  const startTicks = startOf(identity.pid);
  if (startTicks !== undefined) return startTicks === identity.startTicks ? "alive" : "dead";
  // Without a descriptor to look with, everybody would be dead; a signal needs none.
  return isUnreadable(identity.pid) ? "unknown" : "dead";
}

function isUnreadable(pid: number): boolean {
  return process.platform === "linux" && readStat(pid) === undefined && send(pid, 0);
}

/** This moment on the clock of `startTicks`, where that counts: on Linux. Else a moment after all others. */
export function ticksNow(): number {
  const seconds = process.platform === "linux" ? textAt("/proc/uptime")?.split(" ", 1)[0] : undefined;
  // Rounded up: what began within this very tick has begun.
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.ceil(Number(seconds) * ticksPerSecond);
}
/** What the kernel shows to programs counts in hundredths, whatever it uses itself (USER_HZ). */
const ticksPerSecond = 100;

/** Whether a process is the one that started us. */
export function isOurParent(identity: ProcessIdentity | undefined): identity is ProcessIdentity {
  return identity !== undefined && identity.pid === process.ppid && livenessOf(identity) === "alive";
}

/** Sends a signal to exactly this process, and to nobody who came to its pid later. False when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return livenessOf(identity) === "alive" && send(identity.pid, signal);
}

/** Sends a signal to every process of a group. False when there is none left. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  if (process.platform === "win32") {
    return Bun.spawnSync(["taskkill", "/F", "/T", "/PID", String(leader)]).success;
  }
  return send(-leader, signal);
}

/** What `/proc/<pid>/stat` says, as far as we need it. */
export interface ProcessStat {
  state: string;
  parent: number;
  group: number;
  session: number;
  startTicks: string;
}

/** Nothing when the process is gone. Linux. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(pid, "stat")?.toString("latin1");
  return text === undefined ? undefined : statFrom(text);
}

/** The text of `/proc/<pid>/stat`, taken apart. */
export function statFrom(text: string): ProcessStat {
  // The second field is the name in parentheses, and may hold blanks and parentheses itself (proc(5)).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ", 20);
  const [state = "", parent = "", group = "", session = ""] = fields;
  return {
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTicks: fields[19] ?? "",
  };
}

/** A file of `/proc/<pid>`; nothing when the process is gone or belongs to somebody else. Linux. */
export function readProc(pid: number, name: "stat" | "environ" | "cmdline"): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`);
  } catch {
    // Gone between two looks, or not ours to read: in both cases there is nothing to say.
    return undefined;
  }
}

function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readStat(pid);
    return stat && stat.state !== "Z" && stat.state !== "X" ? stat.startTicks : undefined;
  }
  if (process.platform === "win32") return send(pid, 0) ? "unknown" : undefined;
  const { stdout } = Bun.spawnSync(["/bin/ps", "-o", "stat=,lstart=", "-p", String(pid)], {
    env: { LC_ALL: "C" },
  });
  const [state = "", ...start] = stdout.toString().trim().split(/\s+/);
  return state === "" || state.startsWith("Z") ? undefined : start.join(" ");
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // EPERM means that it is there; everything else that it is not.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
