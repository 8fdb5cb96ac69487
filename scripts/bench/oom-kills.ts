// How often the kernel has killed a process for want of memory.
import { readFileSync } from "node:fs";

/**
 * Since the machine was started, the kills within control groups among them; of one group of version 2 alone where its
 * folder is given. 0 where nothing is counted.
 */
export function oomKills(group?: string): number {
  const path = group === undefined ? "/proc/vmstat" : `${group}/memory.events`;
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  } catch {
    // Another system, or a kernel that does not count them.
    return 0;
  }
}
