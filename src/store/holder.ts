// Whether the holder of something in the store still exists.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import { livenessOf } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/**
 * How long after its last heartbeat a process that is not visible from here still counts as alive, in milliseconds: in
 * another container, or on another machine. Runners send one every 15 seconds.
 */
export const staleAfterMs = 60_000;

interface Held {
  holder: ProcessIdentity;
  /** Its last heartbeat, in milliseconds since 1970. Called only if the process is not visible from here. */
  seenAt(): number;
}

/** A recreated container leaves holders whose liveness can never be determined, except by their age. */
export function holderLives({ holder, seenAt }: Held): boolean {
  const liveness = livenessOf(holder);
  return liveness === "alive" || (liveness === "unknown" && isFresh(seenAt()));
}

/** Whether a heartbeat is fresh. One from the future came before the clock was set back. */
export function isFresh(seenAt: number, now = Date.now()): boolean {
  return Math.abs(now - seenAt) < staleAfterMs;
}

const seenRow = z.object({ seen_at: z.number().nullable() });

/** A runner's last heartbeat, in milliseconds since 1970; 0 if it runs no batch. */
export function lastSeen(database: Database, runner: ProcessIdentity): number {
  const row = database
    .query<unknown, [string]>("SELECT max(alive_at) AS seen_at FROM batches WHERE runner = ?")
    .get(JSON.stringify(runner));
  return seenRow.parse(row).seen_at ?? 0;
}

/** Parses the text of a row. */
export function holderFrom(text: string): ProcessIdentity {
  return processIdentity.parse(JSON.parse(text));
}
