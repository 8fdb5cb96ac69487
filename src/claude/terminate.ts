// Ends a session completely, within two seconds, whatever it does.
import { settledWithin } from "../platform/clock.ts";
import { killTree } from "../platform/kill-tree.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
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
  { graceMs = usualGraceMs, spares }: Ways = {},
): Promise<void> {
  session.interrupt();
  void answered.then(() => session.closeInput());
  if (await settledWithin(session.exited, graceMs)) return;
  killTree(session.identity, spares);
  await session.exited;
}
