// Whether the holder of something in the store is still there to give it back.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import { livenessOf } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/**
 * How long a process is believed to live after its last sign, in milliseconds, where we cannot look at it: in another
 * container, or on another machine. Runners give one every 15 seconds.
 */
export const believedMs = 60_000;

interface Held {
  holder: ProcessIdentity;
  /** When it last gave a sign, in milliseconds since 1970. Asked for only where we cannot look at it. */
  seenAt(): number;
}

/** A container that was killed and made again leaves holders behind of which nobody can ever tell. */
export function isHeld({ holder, seenAt }: Held): boolean {
  const liveness = livenessOf(holder);
  return liveness === "alive" || (liveness === "unknown" && isFresh(seenAt()));
}

/** Whether a sign of life is young enough. One from the future was given by a clock that has been set back since. */
export function isFresh(seenAt: number, now = Date.now()): boolean {
  return Math.abs(now - seenAt) < believedMs;
}

const seenRow = z.object({ seen_at: z.number().nullable() });

/** When a runner last said that it lives, in milliseconds since 1970; 0 where it carries no batch. */
export function lastSeen(database: Database, runner: ProcessIdentity): number {
  const row = database
    .query<unknown, [string]>("SELECT max(alive_at) AS seen_at FROM batches WHERE runner = ?")
    .get(JSON.stringify(runner));
  return seenRow.parse(row).seen_at ?? 0;
}

/** As it is kept in a row. */
export function holderFrom(text: string): ProcessIdentity {
  return processIdentity.parse(JSON.parse(text));
}
