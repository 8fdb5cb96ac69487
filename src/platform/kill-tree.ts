// Kills a process with everything it started.
import { livenessOf, signalGroup, signalProcess } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { descendantsOf } from "./process-table.ts";
import { processes } from "./processes/of-system.ts";

/** Kills a group leader, its group, and all its descendants; with `spares`, only those that it does not spare. */
export function killTree(root: ProcessIdentity, spares?: (process: ProcessIdentity) => boolean): void {
  if (livenessOf(root) !== "alive") return;
  if (processes.groupIsTree) {
    signalGroup(root.pid, "SIGKILL");
    return;
  }
  // Listed before the kill: without their parent, they are no descendants any more.
  const descendants = descendantsOf(root.pid);
  // The group may contain one to spare.
  if (spares) signalProcess(root, "SIGKILL");
  else signalGroup(root.pid, "SIGKILL");
  for (const descendant of descendants) if (!spares?.(descendant)) signalProcess(descendant, "SIGKILL");
}
