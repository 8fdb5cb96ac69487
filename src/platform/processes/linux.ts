// The processes of Linux, from `/proc`: a short file for each, and one more where its memory or environment matters.
// Bun has no call that lists a folder, reads a file, or says where a link leads, before it returns.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
// Bun has no call that counts the processors of the machine: `navigator.hardwareConcurrency` counts ours.
import { cpus } from "node:os";
import { bootTime, type ProcessHome, unknownBoot } from "../process-identity.ts";
import { textAt } from "../system.ts";
import { send } from "./signal.ts";
import type { MeasuredRow, ProcessRow, Seen, SystemProcesses } from "./system-processes.ts";

/** `root` is a prefix of `/proc` and `/etc`. */
export function linuxProcesses(root: string): SystemProcesses {
  const proc = `${root}/proc`;
  const rowOf = (pid: number): ProcessRow | undefined => {
    const text = readProc(proc, pid, "stat")?.toString("latin1");
    return text ? rowFrom(text) : undefined;
  };
  return {
    home: () => homeIn(root),
    rowOf,
    // A signal needs no descriptor.
    isUnreadable: (pid) => rowOf(pid) === undefined && send(pid, 0),
    table: (missed) => {
      const rows = pidsIn(proc).flatMap((pid): [number, ProcessRow][] => {
        const row = rowOf(pid);
        if (row) return [[pid, row]];
        missed();
        return [];
      });
      return new Map(rows);
    },
    measured: () => measuredIn(proc),
    childrenOf: (pid) => childrenIn(proc, pid, () => rowOf(pid) !== undefined),
    eachMarked: (variable, values, seen, among) =>
      eachMarked(Buffer.from(`${variable}=`), values, seen, { proc, among: among ?? pidsIn(proc) }),
    commandOf: (pid) => {
      const text = readProc(proc, pid, "cmdline")?.toString("latin1") ?? "";
      return text.split(/\0+/).filter((word) => word !== "");
    },
    ticksNow: () => {
      const seconds = textAt(`${proc}/uptime`)?.split(" ", 1)[0];
      // Rounded up, because what began within this tick has begun.
      return seconds === undefined ? Number.POSITIVE_INFINITY : Math.ceil(Number(seconds) * ticksPerSecond);
    },
    sameStart: (one, other) => one === other,
    signalGroup: (leader, signal) => send(-leader, signal),
    signal: ({ pid }, signal) => send(pid, signal),
  };
}

/** The kernel reports hundredths of a second to programs, whatever it uses itself (USER_HZ). */
const ticksPerSecond = 100;

// --- The table.

function pidsIn(proc: string): number[] {
  return readdirSync(proc).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** A file of `/proc/<pid>`; undefined if the process has gone or belongs to somebody else. */
function readProc(proc: string, pid: number, name: "stat" | "environ" | "cmdline"): Buffer | undefined {
  try {
    return readFileSync(`${proc}/${pid}/${name}`);
  } catch {
    // Ended between two calls, or no permission: either way there is nothing to report.
    return undefined;
  }
}

/** Parses the text of `/proc/<pid>/stat`. */
function rowFrom(text: string): ProcessRow {
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

function childrenIn(proc: string, pid: number, isThere: () => boolean): number[] | undefined {
  const threads = namesAt(`${proc}/${pid}/task`);
  const texts = threads.map((thread) => textAt(`${proc}/${pid}/task/${thread}/children`));
  if (texts.length > 0 && texts.every((text) => text === undefined) && isThere()) return undefined;
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

// --- Memory.

function measuredIn(proc: string): ReadonlyMap<number, MeasuredRow> | undefined {
  try {
    const rows = pidsIn(proc).flatMap((pid): [number, MeasuredRow][] => {
      const text = textAt(`${proc}/${pid}/stat`);
      return text ? [[pid, { ...rowFrom(text), bytes: () => privateBytesOf(`${proc}/${pid}/statm`) }]] : [];
    });
    return new Map(rows);
  } catch {
    // Without /proc, nothing is known.
    return undefined;
  }
}

// Resident minus shared pages. The executable of `claude` (200 MB and more) is in memory once for all sessions; counted
// for each, it would be most of the sum.
function privateBytesOf(statm: string): number {
  const [, resident = 0, shared = 0] = (textAt(statm) ?? "").split(" ").map(Number);
  return Number.isFinite(resident - shared) ? Math.max(0, resident - shared) * pageBytes() : 0;
}

// 16 or 64 kB on some ARM machines. The kernel passes it to each process as entry 6 of its auxiliary vector.
function pageBytes(): number {
  knownPageBytes ??= pageBytesIn(Buffer.from(textAt("/proc/self/auxv") ?? "", "latin1")) ?? 4096;
  return knownPageBytes;
}
let knownPageBytes: number | undefined;

/** The page size in the auxiliary vector of a 64-bit process. */
function pageBytesIn(vector: Buffer): number | undefined {
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8));
  }
  return undefined;
}

// --- Environments.

interface Place {
  proc: string;
  among: readonly number[];
}

function eachMarked(prefix: Buffer, values: ReadonlySet<string>, seen: Seen, { proc, among }: Place): void {
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
    const environment = readProc(proc, pid, "environ");
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
    if (values.has(marker)) seen.marked(marker, pid);
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

// --- Home.

function homeIn(root: string): ProcessHome {
  const machine = machineIn(root);
  return {
    boot: bootIn(root),
    namespace: namespaceIn(root),
    ...(machine === undefined ? {} : { machine }),
  };
}

function bootIn(root: string): string {
  const id = textAt(`${root}/proc/sys/kernel/random/boot_id`)?.trim();
  if (id) return id;
  // WSL 1 and some sandboxes have none.
  const time = /^btime (\d+)$/m.exec(textAt(`${root}/proc/stat`) ?? "")?.[1];
  return time === undefined ? unknownBoot : `${bootTime}${time}`;
}

function namespaceIn(root: string): string {
  try {
    return readlinkSync(`${root}/proc/self/ns/pid`);
  } catch {
    // A kernel without namespaces has none.
    return "";
  }
}

function machineIn(root: string): string | undefined {
  const text = textAt(`${root}/etc/machine-id`) ?? textAt(`${root}/var/lib/dbus/machine-id`);
  // A container image may leave it empty, or contain a placeholder.
  return /^[0-9a-f]{32}$/.exec(text?.trim() ?? "")?.[0];
}
