// Ends a session completely, within two seconds, whatever it does.

import { livenessOf, signalGroup, signalProcess } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { descendantsOf } from "../platform/process-table.ts";
import type { SessionProcess } from "./session.ts";

/** Time between interrupting and killing, in milliseconds (product contract). */
const usualGraceMs = 1_000;

interface Ways {
  graceMs?: number;
  /** Whether to leave a process of the session alone. */
  spares?: (process: ProcessIdentity) => boolean;
}

/**
 * Interrupts by `interrupt`, closes stdin once the session has `answered` (its result reports what it spent), and after
 * `graceMs`, by default a second, kills the session and all its descendants at that time. The caller sweeps afterwards.
 */
export async function terminate(
  session: SessionProcess,
  answered: Promise<unknown>,
  { graceMs = usualGraceMs, spares = () => false }: Ways = {},
): Promise<void> {
  session.interrupt();
  void answered.then(() => session.closeInput());
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), graceMs);
  const first = await Promise.race([session.exited, late.promise]);
  clearTimeout(timer);
  if (first !== "late") return;
  kill(session, spares);
  await session.exited;
}

function kill({ identity }: SessionProcess, spares: (process: ProcessIdentity) => boolean): void {
  // On Windows, only the command that ends it knows its descendants.
  if (process.platform === "win32") {
    if (livenessOf(identity) === "alive") signalGroup(identity.pid, "SIGKILL");
    return;
  }
  // Listed before the kill: without their parent, they are no descendants any more.
  const descendants = descendantsOf(identity.pid);
  signalProcess(identity, "SIGKILL");
  for (const descendant of descendants) if (!spares(descendant)) signalProcess(descendant, "SIGKILL");
}
