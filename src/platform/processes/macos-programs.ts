// The processes of macOS and its relatives, from the output of `ps`: slow, and without environments of other programs than
// ours. For systems whose own calls we do not know, and programs that may not call into libraries.
import { type ProcessHome, unknownBoot } from "../process-identity.ts";
import { Sampled } from "../sampled.ts";
import { sameMacStart } from "./macos-starts.ts";
import { send } from "./signal.ts";
import type { MeasuredRow, ProcessRow, Seen, SystemProcesses } from "./system-processes.ts";

export const macByPrograms: SystemProcesses = {
  home: homeOfMac,
  rowOf: (pid) => {
    const output = outputOf("/bin/ps", "-o", `${rowColumns}lstart=`, "-p", String(pid)) ?? "";
    return rowsIn(output).get(pid);
  },
  isUnreadable: () => false,
  table: () => rowsIn(outputOf("/bin/ps", "-axo", `${rowColumns}lstart=`) ?? ""),
  measured: () => sampledTable.now(),
  childrenOf: () => undefined,
  eachMarked,
  commandOf: (pid) =>
    (outputOf("/bin/ps", "-wwo", "command=", "-p", String(pid)) ?? "")
      .split(/ +/)
      .filter((word) => word !== ""),
  ticksNow: () => Number.POSITIVE_INFINITY,
  sameStart: sameMacStart,
  signalGroup: (leader, signal) => send(-leader, signal),
  signal: ({ pid }, signal) => send(pid, signal),
};

const rowColumns = "pid=,ppid=,pgid=,stat=,";

function rowsIn(output: string): Map<number, ProcessRow> {
  const rows = output.split("\n").flatMap((line): [number, ProcessRow][] => {
    const [pid = "", parent, group, state = "", ...start] = line.trim().split(/\s+/);
    if (start.length === 0) return [];
    const row = { state, parent: Number(parent), group: Number(group), session: 0 };
    return [[Number(pid), { ...row, startTicks: start.join(" ") }]];
  });
  return new Map(rows);
}

const sampledTable = new Sampled(["/bin/ps", "-axo", `${rowColumns}rss=,lstart=`], tableInPs, {
  everyMs: 1_000,
  waitsAtFirst: true,
});

/** The output of `ps`, with the start time in the last column, as in an identity. */
export function tableInPs(output: string): ReadonlyMap<number, MeasuredRow> | undefined {
  const rows = output.split("\n").flatMap((line): [number, MeasuredRow][] => {
    const [pid = "", parent, group, state = "", kilobytes, ...start] = line.trim().split(/\s+/);
    if (start.length === 0) return [];
    const bytes = Number(kilobytes) * 1024;
    const row = { parent: Number(parent), group: Number(group), session: 0, state };
    return [[Number(pid), { ...row, startTicks: start.join(" "), bytes: () => bytes }]];
  });
  return rows.length === 0 ? undefined : new Map(rows);
}

// `ps -E` prints the environment of one's own processes after the command.
function eachMarked(variable: string, values: ReadonlySet<string>, seen: Seen): void {
  const output = outputOf("/bin/ps", "-axEwwo", "pid=,command=") ?? "";
  for (const line of output.split("\n")) {
    const value = new RegExp(`${variable}=(\\S+)`).exec(line)?.[1];
    const pid = Number.parseInt(line, 10);
    if (value !== undefined && values.has(value) && Number.isInteger(pid)) seen.marked(value, pid);
  }
}

function homeOfMac(): ProcessHome {
  const registry = outputOf("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice");
  const machine = /"IOPlatformUUID" = "([^"]+)"/.exec(registry ?? "")?.[1];
  return {
    boot: outputOf("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid") ?? unknownBoot,
    namespace: "",
    ...(machine === undefined ? {} : { machine }),
  };
}

function outputOf(...command: string[]): string | undefined {
  try {
    const { success, stdout } = Bun.spawnSync(command, { env: { LC_ALL: "C" } });
    const text = stdout.toString().trim();
    return success && text !== "" ? text : undefined;
  } catch {
    // There is no such program here.
    return undefined;
  }
}
