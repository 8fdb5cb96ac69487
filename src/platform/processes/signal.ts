// Signals by pid, as all systems take them.
import { systemCode } from "../system-error.ts";

/** Signals a process, or with a negative pid its group. Signal 0 only asks. False if there is none. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // EPERM means that it exists; anything else that it does not.
    return systemCode(error) === "EPERM";
  }
}
