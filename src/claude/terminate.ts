// Ends a session completely, within two seconds, whatever it does.

import { signalGroup, signalProcess } from "../platform/process.ts";
import { descendantsOf } from "../platform/process-table.ts";
import type { Session } from "./session.ts";

/** Between asking and killing, in milliseconds (product contract). */
const usualGraceMs = 1_000;

/**
 * Asks by `interrupt`, closes stdin as soon as the session has `answered` (its result says what it spent), and
 * kills after a second, or when `graceMs` is over: its group, and all that descended from it then. The sweep by
 * marker comes after, and is the caller's.
 */
export async function terminate(
  session: Session,
  answered: Promise<unknown>,
  graceMs = usualGraceMs,
): Promise<void> {
  session.interrupt();
  void answered.then(() => session.closeInput());
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), graceMs);
  const first = await Promise.race([session.exited, late.promise]);
  clearTimeout(timer);
  if (first !== "late") return;
  // Noted before the kill: with the leader gone, they are nobody's descendants any more.
  const descendants = descendantsOf(session.identity.pid);
  signalGroup(session.identity.pid, "SIGKILL");
  for (const descendant of descendants) signalProcess(descendant, "SIGKILL");
  await session.exited;
}
