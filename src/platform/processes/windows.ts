// The processes of Windows, as its own calls show them. A session's job is what its process group is elsewhere.

import { unknownBoot } from "../process-identity.ts";
import { kernel32, registryText } from "../windows/libraries.ts";
import {
  allProcesses,
  creationTime,
  isRunning,
  parentOf,
  right,
  variableOf,
  withProcess,
  wordsOf,
} from "../windows/process-list.ts";
import {
  gather,
  gatherAgain,
  killedCode,
  leaders,
  membersOf,
  release,
  terminateJobOf,
} from "../windows/session-jobs.ts";
import type { ListedProcess } from "../windows/structures.ts";
import type { MeasuredRow, ProcessRow, SystemProcesses } from "./system-processes.ts";

export const windowsProcesses: SystemProcesses = {
  // No boot is needed: times of creation are those of a calendar, so no process of another boot has the same.
  home: () => {
    const machine = registryText("SOFTWARE\\Microsoft\\Cryptography", "MachineGuid");
    return { boot: unknownBoot, namespace: "", ...(machine === undefined ? {} : { machine }) };
  },
  rowOf: (pid) => rowByHandle(pid) ?? tableNow().get(pid),
  isUnreadable: () => false,
  table: tableNow,
  measured: tableNow,
  childrenOf: () => undefined,
  eachMarked,
  commandOf: wordsOf,
  // A pid may be reused at once, but a job is no pid: who is in it needs no proof by time.
  ticksNow: () => Number.POSITIVE_INFINITY,
  sameStart: (one, other) => one === other,
  signal: ({ pid, startTicks }) => killExactly(pid, startTicks),
  signalGroup: (leader) => terminateJobOf(leader) || killTreeOf(leader),
  jobs: { gather, gatherAgain, release },
};

function rowByHandle(pid: number): ProcessRow | undefined {
  return withProcess(pid, right.look | right.wait, (handle) => {
    const created = creationTime(handle);
    if (created === undefined) return undefined;
    const state = isRunning(handle) ? "" : "Z";
    return { state, parent: parentOf(handle), group: 0, session: 0, startTicks: String(created) };
  });
}

function tableNow(): Map<number, MeasuredRow> {
  return tableFrom(allProcesses(), leaders());
}

/** A table of listed processes. `leaderOf`: the process for which the job was made that a process is in. */
export function tableFrom(
  all: readonly ListedProcess[],
  leaderOf: ReadonlyMap<number, number>,
): Map<number, MeasuredRow> {
  const createdAt = new Map(all.map((one) => [one.pid, one.createdAt]));
  return new Map(
    all.map(({ pid, parent, createdAt: created, threads, bytes }): [number, MeasuredRow] => {
      // A process keeps the pid of its parent, which another process may have by now.
      const isParent = (createdAt.get(parent) ?? created + 1n) <= created;
      const row: ProcessRow = {
        state: threads === 0 ? "Z" : "",
        parent: isParent ? parent : 0,
        group: leaderOf.get(pid) ?? 0,
        session: 0,
        startTicks: String(created),
      };
      return [pid, { ...row, bytes: () => bytes }];
    }),
  );
}

// What belongs to a session without a job is shown by its environment. The process that keeps passwords is not opened:
// it belongs to no session, and virus scanners take that for an attack.
function eachMarked(
  variable: string,
  values: ReadonlySet<string>,
  seen: { marked(value: string, pid: number): void },
): void {
  const unknown = new Set<string>();
  for (const value of values) {
    const members = membersOf(value);
    if (!members) unknown.add(value);
    for (const pid of members ?? []) seen.marked(value, pid);
  }
  if (unknown.size === 0) return;
  const readBefore = valuesRead;
  valuesRead = new Map();
  for (const { pid, createdAt, name, threads } of allProcesses()) {
    if (threads === 0 || /^lsass\.exe$/i.test(name)) continue;
    const key = `${pid} ${createdAt}`;
    const value = readBefore.has(key) ? readBefore.get(key) : variableOf(pid, variable);
    valuesRead.set(key, value);
    if (value !== undefined && unknown.has(value)) seen.marked(value, pid);
  }
}

/** What each process had for the variable. It is read once: a process has its marker from its start, or never. */
let valuesRead = new Map<string, string | undefined>();

// By one handle, so that the process cannot become another one in between. There are no signals but this.
function killExactly(pid: number, startTicks: string): boolean {
  const isKilled = withProcess(pid, right.terminate | right.look, (handle) => {
    return (
      String(creationTime(handle)) === startTicks && kernel32().TerminateProcess(handle, killedCode) !== 0
    );
  });
  return isKilled ?? false;
}

function killTreeOf(root: number): boolean {
  const table = tableNow();
  const members = new Set([root]);
  // What is added meanwhile is visited too.
  for (const member of members)
    for (const [pid, { parent }] of table) if (parent === member) members.add(pid);
  const killed = [...members].map((pid) => killExactly(pid, table.get(pid)?.startTicks ?? ""));
  return killed.includes(true);
}
