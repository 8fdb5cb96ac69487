// How many more threads the control groups of this process allow. The kernel counts a process as at least one.
import { controlGroups } from "./control-groups.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/** Infinity if nothing limits them. Never throws. */
export function spareThreads(system: System = thisSystem): number {
  const groups = system.platform === "linux" ? controlGroups("pids", system) : undefined;
  const spare = (groups?.folders ?? []).map((folder) => {
    const most = Number.parseInt(textAt(`${folder}/pids.max`) ?? "", 10);
    const now = Number.parseInt(textAt(`${folder}/pids.current`) ?? "", 10);
    // No limit is `max`; the root group has no such files.
    return Number.isNaN(most - now) ? Number.POSITIVE_INFINITY : most - now;
  });
  return Math.min(Number.POSITIVE_INFINITY, ...spare);
}
