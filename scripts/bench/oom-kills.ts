// How often the kernel has killed a process for want of memory.
import { readFileSync } from "node:fs";

/** Since the machine was started, the kills within control groups among them. 0 where nothing is counted. */
export function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1] ?? 0);
  } catch {
    // Another system, or a kernel that does not count them.
    return 0;
  }
}
