// Ends a session completely, within two seconds, whatever it does.

import { livenessOf, signalGroup, signalProcess } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { descendantsOf } from "../platform/process-table.ts";
import type { SessionProcess } from "./session.ts";

/** Between asking and killing, in milliseconds (product contract). */
const usualGraceMs = 1_000;

interface Ways {
  graceMs?: number;
  /** Whether a process of the session is left alone. */
  spares?: (process: ProcessIdentity) => boolean;
}

/**
 * Asks by `interrupt`, closes stdin as soon as the session has `answered` (its result says what it spent), and
 * kills after a second, or when `graceMs` is over: the session, and all that descended from it then. The sweep comes
 * after, and is the caller's.
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
  // On Windows nobody can tell what descends from it but the command that ends it.
  if (process.platform === "win32") {
    if (livenessOf(identity) === "alive") signalGroup(identity.pid, "SIGKILL");
    return;
  }
  // Noted before the kill: with the leader gone, they are nobody's descendants any more.
  const descendants = descendantsOf(identity.pid);
  signalProcess(identity, "SIGKILL");
  for (const descendant of descendants) if (!spares(descendant)) signalProcess(descendant, "SIGKILL");
}
