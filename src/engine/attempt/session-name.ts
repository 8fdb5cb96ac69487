// The name of a session's start. Its marker and its files are named after it alone, because a session may start before its
// task is known.
import type { Attempt } from "../../model/state.ts";

/** A new name, unique and sorted by time. A conversation id would not do, because an attempt that continues it has the same. */
export function newStartName(): string {
  return Bun.randomUUIDv7();
}

/** The value of the marker variable in the environment of every process of a session. */
export function markerOf(batchId: string, startName: string): string {
  return `${batchId}/${startName}`;
}

/** The marker of an attempt's session. In older logs starts have no name, and the marker is made of task and conversation. */
export function markerOfAttempt(
  batchId: string,
  task: number,
  { startName, number, sessionId }: Pick<Attempt, "startName" | "number" | "sessionId">,
): string {
  if (startName !== undefined) return markerOf(batchId, startName);
  const suffix = new Bun.CryptoHasher("sha256").update(sessionId).digest("hex").slice(0, 16);
  return `${batchId}/${task}/${number}/${suffix}`;
}
