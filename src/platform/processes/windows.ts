// The processes of Windows, as far as its programs and signal 0 show them.
import { unknownBoot } from "../process-identity.ts";
import { Sampled } from "../sampled.ts";
import { send } from "./signal.ts";
import type { MeasuredRow, SystemProcesses } from "./system-processes.ts";

/** The start of every process, as long as we do not ask for it. */
const unknownStart = "unknown";

export const windowsProcesses: SystemProcesses = {
  home: () => ({ boot: unknownBoot, namespace: "" }),
  rowOf: (pid) =>
    send(pid, 0) ? { state: "", parent: 0, group: 0, session: 0, startTicks: unknownStart } : undefined,
  isUnreadable: () => false,
  table: () => new Map(),
  measured: () => sampledTable.now(),
  childrenOf: () => undefined,
  eachMarked: () => undefined,
  commandOf: () => [],
  ticksNow: () => Number.POSITIVE_INFINITY,
  signalGroup: (leader) => Bun.spawnSync(["taskkill", "/F", "/T", "/PID", String(leader)]).success,
  groupIsTree: true,
};

const sampledTable = new Sampled(
  [
    "powershell.exe",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.WorkingSetSize)" }',
  ],
  tableFromWindows,
  // One run takes half a second of processor time.
  { everyMs: 5_000, waitsAtFirst: false },
);

/** The output of our line of PowerShell. Processes there have no group, and their start time is unknown. */
export function tableFromWindows(output: string): ReadonlyMap<number, MeasuredRow> | undefined {
  const rows = output.split("\n").flatMap((line): [number, MeasuredRow][] => {
    const [, pid, parent, bytes] = /^(\d+) (\d+) (\d+)\s*$/.exec(line) ?? [];
    if (bytes === undefined) return [];
    const row = { parent: Number(parent), group: 0, session: 0, state: "", startTicks: unknownStart };
    return [[Number(pid), { ...row, bytes: () => Number(bytes) }]];
  });
  return rows.length === 0 ? undefined : new Map(rows);
}
