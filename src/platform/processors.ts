// How many processors we may use.
import { controlGroups } from "./control-groups.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/**
 * The processors that this process may run on, limited by its control groups. A fraction counts as one. Never throws.
 */
export function processorCount(system: System = thisSystem): number {
  const groups = system.platform === "linux" ? controlGroups("cpu", system) : undefined;
  const shares = (groups?.folders ?? []).map((folder) =>
    groups?.version === 1
      ? shareFrom(textAt(`${folder}/cpu.cfs_quota_us`), textAt(`${folder}/cpu.cfs_period_us`))
      : shareFrom(...(textAt(`${folder}/cpu.max`)?.split(" ") ?? [])),
  );
  return Math.max(1, Math.min(navigator.hardwareConcurrency, ...shares.map(Math.ceil)));
}

// No limit is `max`, or -1 in version 1.
function shareFrom(quota = "", period = ""): number {
  const share = Number.parseInt(quota, 10) / Number.parseInt(period, 10);
  return share > 0 ? share : Number.POSITIVE_INFINITY;
}
