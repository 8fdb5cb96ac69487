// Where a process lives: in which boot of which machine, and in which pid namespace. A pid is meaningful only there.
// Bun has no call that says where a link leads.
import { readlinkSync } from "node:fs";
import type { ProcessIdentity } from "./process-identity.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/** What all processes visible to us share. */
export type ProcessHome = Pick<ProcessIdentity, "boot" | "namespace" | "machine">;

/** Our own home. It does not change while we run. */
export function ownHome(): ProcessHome {
  own ??= homeIn(thisSystem);
  return own;
}
let own: ProcessHome | undefined;

/** The home that a system describes. */
export function homeIn(system: System): ProcessHome {
  const machine = machineOf(system);
  return {
    boot: bootOf(system),
    namespace: namespaceOf(system),
    ...(machine === undefined ? {} : { machine }),
  };
}

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

/** Prefix of the boot time, on systems without a boot id. */
const bootTime = "btime ";
const unknownBoot = "unknown";

// Older programs wrote the host's name before it, and on macOS and Windows nothing else.
function inode({ namespace }: ProcessHome): string {
  return /pid:\[\d+\]$/.exec(namespace)?.[0] ?? "";
}

function bootOf({ platform, root }: System): string {
  if (platform === "darwin") return outputOf("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid") ?? unknownBoot;
  if (platform !== "linux") return unknownBoot;
  const id = textAt(`${root}/proc/sys/kernel/random/boot_id`)?.trim();
  if (id) return id;
  // WSL 1 and some sandboxes have none.
  const time = /^btime (\d+)$/m.exec(textAt(`${root}/proc/stat`) ?? "")?.[1];
  return time === undefined ? unknownBoot : `${bootTime}${time}`;
}

function namespaceOf({ platform, root }: System): string {
  if (platform !== "linux") return "";
  try {
    return readlinkSync(`${root}/proc/self/ns/pid`);
  } catch {
    // A kernel without namespaces has none.
    return "";
  }
}

function machineOf({ platform, root }: System): string | undefined {
  if (platform === "darwin") {
    const registry = outputOf("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice");
    return /"IOPlatformUUID" = "([^"]+)"/.exec(registry ?? "")?.[1];
  }
  if (platform !== "linux") return undefined;
  const text = textAt(`${root}/etc/machine-id`) ?? textAt(`${root}/var/lib/dbus/machine-id`);
  // A container image may leave it empty, or contain a placeholder.
  return /^[0-9a-f]{32}$/.exec(text?.trim() ?? "")?.[0];
}

function outputOf(...command: string[]): string | undefined {
  const { success, stdout } = Bun.spawnSync(command, { env: { LC_ALL: "C" } });
  const text = stdout.toString().trim();
  return success && text !== "" ? text : undefined;
}
