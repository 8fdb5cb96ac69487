// Carries on what lost its processes: after a crash of ours, or of a client that ended a whole group of them.
import type { Account } from "../../model/event.ts";
import { localProcess } from "../../model/session-ref.ts";
import { noValues, type SessionValues } from "../../model/session-values.ts";
import { livenessOf } from "../../platform/process.ts";
import { reasonOf } from "../../platform/system-error.ts";
import { patiently } from "../../store/patiently.ts";
import { carriedBy } from "../../store/standing.ts";
import type { BatchRow, Store } from "../../store/store.ts";
import { startKeeper } from "./start.ts";

/** Older than this, nobody wants a batch to start again by itself, in milliseconds (architecture). */
const freshMs = 10 * 60_000;
/** How long the processes of a batch may take to say that they are there, in milliseconds. */
const startingMs = 15_000;

/**
 * Starts a keeper for each batch of this account that has neither runner nor keeper, and whose runner was alive
 * within the last ten minutes. Older ones wait for a retry, unless a session of theirs still runs: nobody else would ever
 * end it. Of several who do this at once, one keeper stays.
 */
export async function carryOn(store: Store, account: Account): Promise<BatchRow[]> {
  // Where nobody can look, it may still run: in a copy of the store on another machine, for one. The user decides.
  const lost = store
    .unended()
    .filter((row) => row.account === account.hash && isAbandoned(row) && carriedBy(row) !== "lost")
    .filter((row) => row.aliveAt >= Date.now() - freshMs || hasSessions(store, row));
  for (const row of lost) {
    // One that cannot be carried on must not stand in the way of the call, nor of the others; the next call
    // tries again.
    await carryOnBatch(store, row).catch((error: unknown) =>
      console.error(
        `Batch ${row.batchId} could not be resumed: ${reasonOf(error)}. The next call tries again.`,
      ),
    );
  }
  return lost;
}

function hasSessions(store: Store, { batchId, counts }: BatchRow): boolean {
  if (counts.running === 0) return false;
  const tasks = store.batch(batchId)?.state.tasks ?? [];
  return tasks.some(({ status, attempts }) => {
    const ref = attempts.at(-1)?.identity;
    // One on another host is seen to there, and ends when nobody asks for it any more.
    const session = localProcess(ref);
    return status === "running" && session !== undefined && livenessOf(session) === "alive";
  });
}

/** Starts a keeper for one batch that nobody carries, however old it is. It has no values of `env` but these. */
export async function carryOnBatch(
  store: Store,
  row: BatchRow,
  values: SessionValues = noValues,
): Promise<void> {
  const kept = store.batch(row.batchId)?.state.account;
  if (!kept || !(await patiently(() => store.announce(row)))) return;
  await startKeeper(store, row.batchId, { environment: kept.environment, values });
}

/** Whether nobody carries the batch, nor ever will by himself, as far as anybody can tell. */
export function isAbandoned(row: BatchRow): boolean {
  const { runner, keeper, aliveAt } = row;
  // Its processes are only just being started.
  if (!runner && !keeper) return Math.abs(Date.now() - aliveAt) >= startingMs;
  const carried = carriedBy(row);
  return carried === "nobody" || carried === "lost";
}
