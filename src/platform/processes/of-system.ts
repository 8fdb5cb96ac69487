// Which system's processes we look at. Nothing else decides by the name of the system how processes are read.
import { type System, thisSystem } from "../system.ts";
import { linuxProcesses } from "./linux.ts";
import { macProcesses } from "./macos.ts";
import type { SystemProcesses } from "./system-processes.ts";
import { windowsProcesses } from "./windows.ts";

/** The processes of a system. Systems that we do not know are read as macOS is: by programs that all have. */
export function processesOf({ platform, root }: System): SystemProcesses {
  switch (platform) {
    case "linux":
      return linuxProcesses(root);
    case "win32":
      return windowsProcesses;
    default:
      return macProcesses;
  }
}

/** The processes of the system that we run on. */
export const processes: SystemProcesses = processesOf(thisSystem);
