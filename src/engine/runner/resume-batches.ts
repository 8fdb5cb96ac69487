// Resumes batches that lost their processes: after a crash of ours, or of a client that killed a whole group of them.
import type { Account } from "../../model/event.ts";
import { fleetJobOf, localProcess } from "../../model/session-ref.ts";
import { noValues, type SessionValues } from "../../model/session-values.ts";
import { livenessOf } from "../../platform/process.ts";
import { reasonOf } from "../../platform/system-error.ts";
import { presenceOf } from "../../store/batch-status.ts";
import { StoreProblem } from "../../store/database.ts";
import { patiently } from "../../store/patiently.ts";
import type { BatchRow, Store } from "../../store/store.ts";
import { startKeeper } from "./start-processes.ts";

/** Older batches are not resumed automatically, in milliseconds (architecture). */
const freshMs = 10 * 60_000;
/** For so long a fleet keeps the results of a batch, in milliseconds. */
const keptByFleetMs = 7 * 86_400_000;
/** How long the processes of a batch may take to register, in milliseconds. */
const startingMs = 15_000;

/**
 * Starts a keeper for each batch of this account that has neither runner nor keeper, and whose runner was alive within
 * the last ten minutes. Older ones wait for a retry, unless one of their sessions still runs, which nobody else would
 * end, or runs on a fleet, which has been paid for. If several processes do this at once, one keeper stays.
 */
export async function resumeBatches(store: Store, account: Account): Promise<BatchRow[]> {
  // A batch that is not visible from here may still run, for example in a copy of the store on another machine. The user
  // decides.
  const lost = store
    .unended()
    .filter((row) => row.account === account.hash && isAbandoned(row) && presenceOf(row) !== "lost")
    .filter((row) => row.aliveAt >= Date.now() - freshMs || hasReadableSessions(store, row));
  for (const row of lost) {
    // A batch that cannot be resumed must not block the call, or the others; the next call tries again.
    await resumeBatch(store, row).catch((error: unknown) =>
      console.error(
        `Batch ${row.batchId} could not be resumed: ${reasonOf(error)}. The next call tries again.`,
      ),
    );
  }
  return lost;
}

// A log that a newer version has written must not block every call of this one.
function hasReadableSessions(store: Store, row: BatchRow): boolean {
  try {
    return hasSessions(store, row);
  } catch (error) {
    if (error instanceof StoreProblem) return false;
    throw error;
  }
}

/** Whether a session of a batch runs that nobody else would end, or a fleet may have its results. */
export function hasSessions(store: Store, { batchId, counts, aliveAt }: BatchRow): boolean {
  if (counts.running === 0) return false;
  const tasks = store.batch(batchId)?.state.tasks ?? [];
  const mayBeOnFleet = aliveAt >= Date.now() - keptByFleetMs;
  return tasks.some(({ status, attempts }) => {
    if (status !== "running") return false;
    const last = attempts.at(-1);
    if (mayBeOnFleet && fleetJobOf(last?.identity) !== undefined) return true;
    const refs = [last?.identity, ...(last?.checkSessions ?? []).map(({ identity }) => identity)];
    // A session on another host is managed there, and ends when nobody polls it any more.
    return refs.map(localProcess).some((session) => session && livenessOf(session) === "alive");
  });
}

/** Starts a keeper for one batch without processes, however old. `values`: the only values of `env` that it gets. */
export async function resumeBatch(
  store: Store,
  row: BatchRow,
  values: SessionValues = noValues,
): Promise<void> {
  const kept = store.batch(row.batchId)?.state.account;
  if (!kept || !(await patiently(() => store.announce(row)))) return;
  await startKeeper(store, row.batchId, { environment: kept.environment, values });
}

/** Whether the batch has no processes, and will get none by itself, as far as is known. */
export function isAbandoned(row: BatchRow): boolean {
  const { runner, keeper, aliveAt } = row;
  // Its processes are just being started.
  if (!runner && !keeper) return Math.abs(Date.now() - aliveAt) >= startingMs;
  const presence = presenceOf(row);
  return presence === "nobody" || presence === "lost";
}
