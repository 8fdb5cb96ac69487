// Where a process lives: in which boot of which machine, and in which pid namespace. A pid is meaningful only there.
import { bootTime, type ProcessHome, unknownBoot } from "./process-identity.ts";
import { processes } from "./processes/of-system.ts";

/** Our own home. It does not change while we run. */
export function ownHome(): ProcessHome {
  own ??= processes().home();
  return own;
}
let own: ProcessHome | undefined;

/**
 * Whether a process is visible from here. A process of an earlier boot of this machine is dead. Of another machine or pid
 * namespace, nothing is known.
 */
export function whereIs(process: ProcessHome, home: ProcessHome = ownHome()): "here" | "dead" | "unknown" {
  const isOfMachine = process.machine !== undefined && process.machine === home.machine;
  // The same boot is the same kernel, whatever the machine or a container is called.
  if (isSameBoot(process, home)) return inode(process) === inode(home) ? "here" : "unknown";
  return isOfMachine ? "dead" : "unknown";
}

function isSameBoot(process: ProcessHome, home: ProcessHome): boolean {
  if (tellsBoot(process) && tellsBoot(home)) return process.boot === home.boot;
  if (tellsBoot(process) || tellsBoot(home)) return false;
  // The computed boot time shifts with the clock. So on the same machine, the same pid with the same start tick counts as
  // the same process.
  return process.machine === home.machine;
}

function tellsBoot({ boot }: ProcessHome): boolean {
  return boot !== unknownBoot && !boot.startsWith(bootTime);
}

// Older programs wrote the host's name before it, and on macOS and Windows nothing else.
function inode({ namespace }: ProcessHome): string {
  return /pid:\[\d+\]$/.exec(namespace)?.[0] ?? "";
}
