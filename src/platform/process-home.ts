// Where a process lives: in which boot of which machine, and in which pid namespace. A pid means something only there.
// Bun has no call that says where a link leads.
import { readlinkSync } from "node:fs";
import type { ProcessIdentity } from "./process-identity.ts";
import { type System, textAt, thisSystem } from "./system.ts";

/** What all processes that we can look at share. */
export type ProcessHome = Pick<ProcessIdentity, "boot" | "namespace" | "machine">;

/** Our own. It stays as long as we do. */
export function ownHome(): ProcessHome {
  own ??= homeIn(thisSystem);
  return own;
}
let own: ProcessHome | undefined;

/** The one of a system. */
export function homeIn(system: System): ProcessHome {
  const machine = machineOf(system);
  return {
    boot: bootOf(system),
    namespace: namespaceOf(system),
    ...(machine === undefined ? {} : { machine }),
  };
}

/**
 * Whether a process can be looked at from here. One of an earlier boot of this machine is dead; of one of another
 * machine, or in another pid namespace, nothing can be said.
 */
export function whereIs(process: ProcessHome, home: ProcessHome = ownHome()): "here" | "dead" | "unknown" {
  const isOfMachine = process.machine !== undefined && process.machine === home.machine;
  // The same boot is the same kernel, whatever the machine is called, and whatever its containers believe it is.
  if (isSameBoot(process, home)) return inode(process) === inode(home) ? "here" : "unknown";
  return isOfMachine ? "dead" : "unknown";
}

function isSameBoot(process: ProcessHome, home: ProcessHome): boolean {
  if (tellsBoot(process) && tellsBoot(home)) return process.boot === home.boot;
  if (tellsBoot(process) || tellsBoot(home)) return false;
  // A time of boot moves with the clock, so a start at the same tick under the same pid decides, on the same machine.
  return process.machine === home.machine;
}

function tellsBoot({ boot }: ProcessHome): boolean {
  return boot !== unknownBoot && !boot.startsWith(bootTime);
}

/** Before the time of boot, where a system has no id of it. */
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
    // A kernel without namespaces has one.
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
  // An image for containers may have it empty, or say that it is still to be made.
  return /^[0-9a-f]{32}$/.exec(text?.trim() ?? "")?.[0];
}

function outputOf(...command: string[]): string | undefined {
  const { success, stdout } = Bun.spawnSync(command, { env: { LC_ALL: "C" } });
  const text = stdout.toString().trim();
  return success && text !== "" ? text : undefined;
}
