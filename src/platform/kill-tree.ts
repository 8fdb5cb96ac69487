// Kills a process with everything it started.
import { livenessOf, signalGroup, signalProcess } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { descendantsIn, identityIn, processTable } from "./process-table.ts";

/** Kills a group leader, its group, and all its descendants; with `spares`, only those that it does not spare. */
export function killTree(
  root: ProcessIdentity,
  spares: (process: ProcessIdentity) => boolean = () => false,
): void {
  if (livenessOf(root) !== "alive") return;
  // Listed before the kill: without their parent, they are no descendants any more.
  const table = processTable();
  const group = [...table].flatMap(([pid, row]) => (row.group === root.pid && pid !== root.pid ? [pid] : []));
  const below = new Set([...group, ...descendantsIn(table, [root.pid, ...group])]);
  const others = [...below].flatMap((pid) => identityIn(table, pid) ?? []);
  const toKill = others.filter((process) => !spares(process));
  // The whole group at one moment, so that nothing in it can start anything more, unless one of it must be spared.
  if (toKill.length === others.length) signalGroup(root.pid, "SIGKILL");
  else signalProcess(root, "SIGKILL");
  for (const process of toKill) signalProcess(process, "SIGKILL");
}
