// The processes of macOS, by the calls of its own library: no program is run, and nothing depends on a language or a
// time zone.
import { type ProcessHome, unknownBoot } from "../process-identity.ts";
import { type MacCalls, macCalls, systemLibrary } from "./macos-calls.ts";
import { macByPrograms } from "./macos-programs.ts";
import { sameMacStart } from "./macos-starts.ts";
import { bsdInfo, constants, kinfo, numberIn, rusage } from "./macos-structures.ts";
import { send } from "./signal.ts";
import type { MeasuredRow, ProcessRow, Seen, SystemProcesses } from "./system-processes.ts";

/** `root` is a prefix of the library's path. */
export function macProcesses(root: string): SystemProcesses {
  const calls = macCalls(`${root}${systemLibrary}`);
  // A program that may not call into libraries, or a macOS with other structures, is better served slowly than wrongly.
  return calls && knowsItself(calls) ? byCalls(calls) : macByPrograms;
}

/** Whether the structures of this macOS are laid out as we read them: both ways of asking for us must agree. */
function knowsItself(calls: MacCalls): boolean {
  const [info, whole] = [calls.bsdInfo(process.pid), calls.kinfo(process.pid)];
  if (!info || !whole) return false;
  const [byInfo, byWhole] = [rowOfInfo(info, 0), rowOfKinfo(whole, 0, 0)];
  const { pbi_pid } = bsdInfo.fields;
  const pid = kinfo.fields["kp_proc.p_pid"];
  return (
    numberIn(pbi_pid, info) === process.pid &&
    numberIn(pid, whole) === process.pid &&
    byInfo.parent === byWhole.parent &&
    byInfo.group === byWhole.group &&
    byInfo.startTicks === byWhole.startTicks
  );
}

function byCalls(calls: MacCalls): SystemProcesses {
  return {
    home: () => homeOf(calls),
    rowOf: (pid) => {
      const info = calls.bsdInfo(pid);
      if (info) return rowOfInfo(info, calls.session(pid));
      // Asking for another user's process takes a search through all of them.
      const session = calls.session(pid);
      const whole = session < 0 ? undefined : calls.kinfo(pid);
      return whole && rowOfKinfo(whole, 0, session);
    },
    isUnreadable: () => false,
    table: (missed) => tableOf(calls, missed),
    measured: () => measuredBy(calls),
    childrenOf: () => undefined,
    eachMarked: (variable, values, seen) => eachMarked(calls, { variable, values, seen }),
    commandOf: (pid) => textsIn(calls.arguments(pid)).command,
    ticksNow: () => (Date.now() + 1) * microsecondsPerMs,
    sameStart: sameMacStart,
    signalGroup: (leader, signal) => send(-leader, signal),
    signal: ({ pid }, signal) => send(pid, signal),
  };
}

const microsecondsPerMs = 1_000;

// --- The table.

/** The letters of `ps`, by the number of the state. */
const states = new Map<number, string>([
  [constants.SIDL, "I"],
  [constants.SRUN, "R"],
  [constants.SSLEEP, "S"],
  [constants.SSTOP, "T"],
  [constants.SZOMB, "Z"],
]);

function rowOfInfo(info: Buffer, session: number): ProcessRow {
  const { pbi_status, pbi_ppid, pbi_pgid, pbi_start_tvsec, pbi_start_tvusec } = bsdInfo.fields;
  return {
    state: states.get(numberIn(pbi_status, info)) ?? "",
    parent: numberIn(pbi_ppid, info),
    group: numberIn(pbi_pgid, info),
    session: Math.max(0, session),
    startTicks: startFrom(numberIn(pbi_start_tvsec, info), numberIn(pbi_start_tvusec, info)),
  };
}

function rowOfKinfo(bytes: Buffer, from: number, session: number): ProcessRow {
  const of = (name: keyof typeof kinfo.fields) => numberIn(kinfo.fields[name], bytes, from);
  return {
    state: states.get(of("kp_proc.p_stat")) ?? "",
    parent: of("kp_eproc.e_ppid"),
    group: of("kp_eproc.e_pgid"),
    session: Math.max(0, session),
    startTicks: startFrom(of("kp_proc.p_un.__p_starttime.tv_sec"), of("kp_proc.p_un.__p_starttime.tv_usec")),
  };
}

/** Microseconds since 1970, by the clock as it stood then: setting it does not change what the kernel noted. */
function startFrom(seconds: number, microseconds: number): string {
  return String(seconds * 1_000_000 + microseconds);
}

// All at one moment, so that none is missed in between.
function tableOf(calls: MacCalls, missed: () => void): Map<number, ProcessRow> {
  const table = new Map<number, ProcessRow>();
  const bytes = calls.kinfos();
  if (!bytes) {
    missed();
    return table;
  }
  for (const { pid, from } of placesIn(bytes)) {
    // Of 0, the kernel, it would give our own session.
    table.set(pid, rowOfKinfo(bytes, from, pid === 0 ? 0 : calls.session(pid)));
  }
  return table;
}

function placesIn(bytes: Buffer): { pid: number; from: number }[] {
  return Array.from({ length: Math.floor(bytes.length / kinfo.bytes) }, (_, index) => {
    const from = index * kinfo.bytes;
    return { pid: numberIn(kinfo.fields["kp_proc.p_pid"], bytes, from), from };
  });
}

// --- Memory.

// The footprint is what a process alone has caused: its private pages, compressed ones included. Its resident size would
// count the executable of `claude` (200 MB and more) for each session, and would shrink when the system compresses pages,
// just when memory is short.
function measuredBy(calls: MacCalls): ReadonlyMap<number, MeasuredRow> | undefined {
  let isWhole = true;
  const table = tableOf(calls, () => {
    isWhole = false;
  });
  if (!isWhole) return undefined;
  const bytesOf = (pid: number) => {
    const usage = calls.usage(pid);
    return usage ? numberIn(rusage.fields.ri_phys_footprint, usage) : 0;
  };
  return new Map([...table].map(([pid, row]) => [pid, { ...row, bytes: () => bytesOf(pid) }]));
}

// --- Arguments and environments.

interface Wanted {
  variable: string;
  values: ReadonlySet<string>;
  seen: Seen;
}

// A process inherits its marker or never has one, so one that was read without is not read again while it lives. The
// environment of Apple's own programs is withheld: they have none, as far as anybody can see.
function eachMarked(calls: MacCalls, { variable, values, seen }: Wanted): void {
  const bytes = calls.kinfos();
  if (!bytes) {
    seen.missed();
    return;
  }
  const us = process.geteuid?.();
  const prefix = `${variable}=`;
  const [before, silentBefore] = [withoutMarker, silent];
  withoutMarker = new Map();
  silent = new Map();
  // Read before anything else asks for the table again.
  const ours = placesIn(bytes).flatMap(({ pid, from }) => {
    const row = rowOfKinfo(bytes, from, 0);
    const isOurs = numberIn(kinfo.fields["kp_eproc.e_ucred.cr_uid"], bytes, from) === us || us === 0;
    return isOurs && row.state !== "Z" ? [{ pid, start: row.startTicks }] : [];
  });
  for (const { pid, start } of ours) {
    if (before.get(pid) === start) {
      withoutMarker.set(pid, start);
      continue;
    }
    const texts = calls.arguments(pid);
    if (!texts) {
      // It has ended, or is becoming another program right now. One that is silent twice counts as without.
      if (silentBefore.get(pid) === start) withoutMarker.set(pid, start);
      else seen.missed();
      silent.set(pid, start);
      continue;
    }
    const found = textsIn(texts).environment.find((text) => text.startsWith(prefix));
    if (found === undefined) withoutMarker.set(pid, start);
    else if (values.has(found.slice(prefix.length))) seen.marked(found.slice(prefix.length), pid);
  }
}

/** The starts of processes without a marker, by pid. */
let withoutMarker = new Map<number, string>();
/** The starts of processes whose arguments could not be read, by pid. */
let silent = new Map<number, string>();

interface Texts {
  command: string[];
  environment: string[];
}

/** What `KERN_PROCARGS2` gives: the count of arguments, the program's path, NULs, the arguments, and the environment. */
export function textsIn(bytes: Buffer | undefined): Texts {
  if (!bytes || bytes.length < 4) return { command: [], environment: [] };
  const count = bytes.readInt32LE(0);
  let at = bytes.indexOf(0, 4);
  if (at < 0) return { command: [], environment: [] };
  while (bytes[at] === 0) at++;
  const texts = bytes.toString("latin1", at).split("\0");
  return { command: texts.slice(0, count), environment: texts.slice(count).filter((text) => text !== "") };
}

// --- Home.

// `gethostuuid` reads the property `IOPlatformUUID` of the platform's entry in the registry, which is what `ioreg` prints.
// A host's name would change with the network.
function homeOf(calls: MacCalls): ProcessHome {
  const machine = calls.hostUuid();
  return {
    boot: calls.text("kern.bootsessionuuid") ?? unknownBoot,
    namespace: "",
    ...(machine === undefined ? {} : { machine }),
  };
}
