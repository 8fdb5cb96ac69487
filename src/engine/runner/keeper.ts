// The keeper of a batch: waits for its runner, and starts a new one after an abnormal end.
import type { BatchId } from "../../model/batch-id.ts";
import type { SessionValues } from "../../model/session-values.ts";
import { clock, Wake } from "../../platform/clock.ts";
import { exists } from "../../platform/files.ts";
import { livenessWatch } from "../../platform/liveness-watch.ts";
import { becomeSubreaper, reapOrphans } from "../../platform/orphans.ts";
import { ownIdentity } from "../../platform/process.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { Store } from "../../store/store.ts";
import { blockedCode, handoverMs, hiddenCommands } from "./hidden-commands.ts";
import { Restarts, type RunnerEnd } from "./restarts.ts";
import { spawnSelf } from "./spawn-self.ts";

/**
 * Keeps a batch running until it has ended, `Restarts` gives up, or the store was removed. Follows a runner that lives,
 * and starts the next ones. Each gets the values, which only the keeper has. Does nothing if the batch has a keeper.
 */
export async function keep(store: Store, batchId: BatchId, values: SessionValues): Promise<void> {
  if (!store.row(batchId)) throw new Error(`Internal error: the store has no batch ${batchId}`);
  if (await isOurs(store, batchId)) await keepOn(store, batchId, values);
}

/** The same for a batch whose keeper this process is already. */
export async function keepOn(store: Store, batchId: BatchId, values: SessionValues): Promise<void> {
  // Processes that a session left behind must not escape when its runner dies.
  await becomeSubreaper();
  using _reaping = clock.on("second", reapOrphans);
  await follow(store, batchId);
  if (store.row(batchId)?.endedAt === undefined) await startRunners(store, batchId, values);
}

// Several calls may find a batch without a keeper at once; one keeper is enough. The keeper of a batch that was just
// retried may still be exiting.
async function isOurs(store: Store, batchId: BatchId): Promise<boolean> {
  const deadline = performance.now() + handoverMs;
  while (!store.claimKeeper(batchId, ownIdentity())) {
    if (performance.now() > deadline) return false;
    await clock.next("handover");
  }
  return true;
}

// Looks once a second, too, because the runner is no child of ours.
async function follow(store: Store, batchId: BatchId): Promise<void> {
  const wake = new Wake();
  using _changes = store.changes.subscribe(wake.now);
  using _ticks = clock.on("second", wake.now);
  const liveness = livenessWatch();
  for (;;) {
    const row = exists(store.layout.database) ? store.row(batchId) : undefined;
    if (!row?.runner || row.endedAt !== undefined || liveness(row.runner) === "dead") return;
    await wake.within(Number.POSITIVE_INFINITY);
  }
}

async function startRunners(store: Store, batchId: BatchId, values: SessionValues): Promise<void> {
  for (const restarts = new Restarts(); ; ) {
    restarts.started();
    const end = await runnerEnd(store, batchId, values);
    if (end === "done") return;
    const pauseMs = restarts.pauseAfter(end);
    if (pauseMs === undefined) break;
    await Bun.sleep(pauseMs);
    // Removing the store has ended the batch.
    if (!exists(store.layout.database)) return say(`The store of ${batchId} has been removed.`);
  }
  say(`The runner of ${batchId} has ended too often; giving up.`);
}

async function runnerEnd(store: Store, batchId: BatchId, values: SessionValues): Promise<RunnerEnd | "done"> {
  try {
    const { stateDirectory } = store.layout;
    const runner = spawnSelf(hiddenCommands.runner, { stateDirectory, batchId, values });
    const code = await runner.exited;
    if (code === 0 || store.row(batchId)?.endedAt !== undefined) return "done";
    say(`The runner of ${batchId} ended with ${runner.signalCode ?? code}.`);
    return code === blockedCode ? "blocked" : "crashed";
  } catch (error) {
    // No process, memory or descriptor is available, or the store is unreadable now.
    say(`The runner of ${batchId} cannot be started: ${messageOf(error)}`);
    return "blocked";
  }
}

// Our output is the batch's `runner.log`.
function say(text: string): void {
  console.error(`${new Date().toISOString()} ${text}`);
}
