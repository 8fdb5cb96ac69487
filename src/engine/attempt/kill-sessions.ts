// Kills the sessions of a batch at once, for a user who does not want to wait until they end properly.
import { localProcess } from "../../model/session-ref.ts";
import type { BatchState } from "../../model/state.ts";
import { killTree } from "../../platform/kill-tree.ts";
import { signalProcess } from "../../platform/process.ts";
import { lookForMarkers } from "../../platform/process-table.ts";
import { markerOf, markerOfAttempt } from "./session-name.ts";

/** Kills the running ones on this machine, with everything they started. Their runner sees them end. */
export function killSessions({ batch, tasks }: BatchState): void {
  const attempts = tasks.flatMap((task) => {
    const attempt = task.status === "running" ? task.attempts.at(-1) : undefined;
    const identity = localProcess(attempt?.identity);
    if (!attempt || !identity) return [];
    const checking = (attempt.checkSessions ?? []).flatMap((session) => {
      const judge = localProcess(session.identity);
      return judge ? [{ identity: judge, marker: markerOf(batch.batchId, session.startName) }] : [];
    });
    return [{ identity, marker: markerOfAttempt(batch.batchId, task.number, attempt) }, ...checking];
  });
  for (const { identity } of attempts) killTree(identity);
  const left = lookForMarkers(new Set(attempts.map(({ marker }) => marker))).byMarker;
  for (const identity of [...left.values()].flat()) signalProcess(identity, "SIGKILL");
}
