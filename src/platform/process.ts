// Who a process is, whether it lives, and how to end it.
// Bun has no call that reads a file before it returns; a process is looked at in one moment.
import { readFileSync } from "node:fs";
import { ownHome, whereIs } from "./process-home.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { textAt } from "./system.ts";
import { systemCode } from "./system-error.ts";

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
  const startTicks = process.platform === "linux" ? readStat(pid)?.startTicks : startOf(pid);
  return identityWith(pid, startTicks ?? "gone");
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
  if (startTicks !== undefined) return startTicks === identity.startTicks ? "alive" : "dead";
  // Without a free descriptor, every process would look dead; a signal needs none.
  return isUnreadable(identity.pid) ? "unknown" : "dead";
}

function isUnreadable(pid: number): boolean {
  return process.platform === "linux" && readStat(pid) === undefined && send(pid, 0);
}

/** The current time on the clock of `startTicks` (Linux). Elsewhere infinity. */
export function ticksNow(): number {
  const seconds = process.platform === "linux" ? textAt("/proc/uptime")?.split(" ", 1)[0] : undefined;
  // Rounded up, because what began within this tick has begun.
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.ceil(Number(seconds) * ticksPerSecond);
}
/** The kernel reports hundredths of a second to programs, whatever it uses itself (USER_HZ). */
const ticksPerSecond = 100;

/** Whether a process is the one that started us. */
export function isOurParent(identity: ProcessIdentity | undefined): identity is ProcessIdentity {
  return identity !== undefined && identity.pid === process.ppid && livenessOf(identity) === "alive";
}

/** Signals exactly this process, never a later one with its pid. False if it has gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return livenessOf(identity) === "alive" && send(identity.pid, signal);
}

/** Signals every process of a group. False if none is left. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  if (process.platform === "win32") {
    return Bun.spawnSync(["taskkill", "/F", "/T", "/PID", String(leader)]).success;
  }
  return send(-leader, signal);
}

/** The fields of `/proc/<pid>/stat` that we need. */
export interface ProcessStat {
  state: string;
  parent: number;
  group: number;
  session: number;
  startTicks: string;
}

/** Undefined if the process has gone. Linux. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(pid, "stat")?.toString("latin1");
  return text === undefined ? undefined : statFrom(text);
}

/** Parses the text of `/proc/<pid>/stat`. */
export function statFrom(text: string): ProcessStat {
  // The second field is the name in parentheses, which may itself contain blanks and parentheses (proc(5)).
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

/** A file of `/proc/<pid>`; undefined if the process has gone or belongs to somebody else. Linux. */
export function readProc(pid: number, name: "stat" | "environ" | "cmdline"): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`);
  } catch {
    // Ended between two calls, or no permission: either way there is nothing to report.
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
    // EPERM means that it exists; anything else that it does not.
    return systemCode(error) === "EPERM";
  }
}
