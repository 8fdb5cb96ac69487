// Which system's processes we look at. Nothing else decides by the name of the system how processes are read.
import { type System, thisSystem } from "../system.ts";
import { linuxProcesses } from "./linux.ts";
import { macProcesses } from "./macos.ts";
import { macByPrograms } from "./macos-programs.ts";
import type { SystemProcesses } from "./system-processes.ts";
import { windowsProcesses } from "./windows.ts";

/** The processes of a system. Where we know none of its own calls, `ps` is asked. */
export function processesOf(system: System): SystemProcesses {
  return system === thisSystem ? processes() : chosenFor(system);
}

/** The processes of the system that we run on. Nothing is loaded before the first call. */
export function processes(): SystemProcesses {
  own ??= chosenFor(thisSystem);
  return own;
}
let own: SystemProcesses | undefined;

function chosenFor({ platform, root }: System): SystemProcesses {
  switch (platform) {
    case "linux":
      return linuxProcesses(root);
    case "darwin":
      return macProcesses(root);
    case "win32":
      return windowsProcesses;
    default:
      return macByPrograms;
  }
}
