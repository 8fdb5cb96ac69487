// How much memory is left on the machine and in its control groups.
// Bun has no call that gives how much memory there is.
import { freemem, totalmem } from "node:os";
import { controlGroups } from "./control-groups.ts";
import { macCalls, systemLibrary } from "./processes/macos-calls.ts";
import { numberIn, vmStatistics } from "./processes/macos-structures.ts";
import { type System, textAt, thisSystem } from "./system.ts";
import { availableMemory } from "./windows/libraries.ts";

export interface Memory {
  /** The most that we could ever have: of the machine, or of the smallest control group around us. */
  totalBytes: number;
  /** What new processes can take before the system swaps or kills. */
  availableBytes: number;
  /** Which of the two has the least left. */
  limitedBy: "machine" | "cgroup";
}

/**
 * Current memory. Takes about 50 µs on Linux, and 25 µs more for each control group with a limit. Never throws.
 */
export function memoryNow(system: System = thisSystem): Memory {
  const whole = memoryOfMachine(system);
  let { totalBytes, availableBytes } = whole;
  let limitedBy: Memory["limitedBy"] = "machine";
  for (const group of system.platform === "linux" ? memoryOfGroups(system, whole.totalBytes) : []) {
    totalBytes = Math.min(totalBytes, group.totalBytes);
    if (group.availableBytes >= availableBytes) continue;
    availableBytes = group.availableBytes;
    limitedBy = "cgroup";
  }
  return { totalBytes, availableBytes, limitedBy };
}

type Room = Pick<Memory, "totalBytes" | "availableBytes">;

function memoryOfMachine({ platform, root }: System): Room {
  if (platform === "linux") {
    const text = textAt(`${root}/proc/meminfo`);
    const [total, available] = [kilobytesIn(text, "MemTotal"), kilobytesIn(text, "MemAvailable")];
    if (total !== undefined && available !== undefined)
      return { totalBytes: total * 1024, availableBytes: available * 1024 };
  }
  return { totalBytes: totalmem(), availableBytes: availableOn(platform, root) ?? freemem() };
}

function availableOn(platform: NodeJS.Platform, root: string): number | undefined {
  if (platform === "darwin") return reclaimableOnMac(root);
  // A test may be about Windows on another system.
  return platform === "win32" && process.platform === "win32" ? availableMemory() : undefined;
}

function kilobytesIn(text: string | undefined, name: string): number | undefined {
  return numberFrom(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(text ?? "")?.[1]);
}

// --- macOS: few pages are free, but many can be reclaimed at once.

/**
 * Free and inactive pages. Free ones include those that were read ahead (which `vm_stat` prints apart), and inactive ones
 * those that are purgeable.
 */
function reclaimableOnMac(root: string): number | undefined {
  const memory = macCalls(`${root}${systemLibrary}`)?.memory();
  if (!memory) return undefined;
  const { free_count, inactive_count } = vmStatistics.fields;
  const pages = numberIn(free_count, memory.statistics) + numberIn(inactive_count, memory.statistics);
  return pages * memory.pageBytes;
}

// --- Linux: control groups with a limit below the machine's memory.

const filesOfGroup = {
  1: {
    limits: ["memory.limit_in_bytes"],
    used: "memory.usage_in_bytes",
    // Includes nested groups, as the usage does.
    reclaimable: /^total_inactive_file (\d+)$/m,
  },
  2: {
    // Above `high` the kernel throttles the group. Nothing is killed there, but it counts as a limit.
    limits: ["memory.max", "memory.high"],
    used: "memory.current",
    reclaimable: /^inactive_file (\d+)$/m,
  },
} as const;

function memoryOfGroups(system: System, machineBytes: number): Room[] {
  const groups = controlGroups("memory", system);
  if (!groups) return [];
  const { limits, used, reclaimable } = filesOfGroup[groups.version];
  return groups.folders.flatMap((folder) => {
    // No limit is `max`, or in version 1 a number far above any memory.
    const known = limits.flatMap((name) => numberFrom(textAt(`${folder}/${name}`)) ?? []);
    const totalBytes = Math.min(...known);
    if (totalBytes >= machineBytes) return [];
    const usedBytes = numberFrom(textAt(`${folder}/${used}`));
    if (usedBytes === undefined) return [];
    // Inactive file pages count as used, but are reclaimed before anything is killed.
    const fileBytes = numberFrom(reclaimable.exec(textAt(`${folder}/memory.stat`) ?? "")?.[1]) ?? 0;
    const heldBytes = Math.max(0, usedBytes - fileBytes);
    return [{ totalBytes, availableBytes: Math.max(0, totalBytes - heldBytes) }];
  });
}

function numberFrom(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}
