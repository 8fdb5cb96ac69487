// Starts the processes of a batch, so that they outlive the process that requested it.
import type { BatchId } from "../../model/batch-id.ts";
import { noValues, type SessionValues } from "../../model/session-values.ts";
import type { BatchState } from "../../model/state.ts";
import { closeDescriptor, exists, makePrivateDirectory, openForAppending } from "../../platform/files.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { Store } from "../../store/store.ts";
import { isTidyingDue } from "../../store/tidied.ts";
import { hiddenCommands } from "./hidden-commands.ts";
import { spawnSelf } from "./spawn-self.ts";

/**
 * Starts the keeper of a batch through a process that exits at once, so that the keeper descends from nobody whose end
 * would take it along. `environment` overrides our own: a batch is resumed with its original values. Throws if that
 * process fails.
 */
export async function startKeeper(
  store: Store,
  batchId: BatchId,
  {
    environment = {},
    values = noValues,
  }: { environment?: Record<string, string>; values?: SessionValues } = {},
): Promise<void> {
  using log = openRunnerLog(store, batchId);
  const { stateDirectory } = store.layout;
  const starter = spawnSelf(hiddenCommands.starter, {
    stateDirectory,
    batchId,
    log: log.descriptor,
    environment,
    values,
  });
  await starter.fed;
  const code = await starter.exited;
  if (code !== 0) throw new Error(`the process that starts the runner ended with ${code}; see ${log.path}`);
}

/** The starter: starts a keeper and exits. Our output is the batch's `runner.log`, and becomes the keeper's. */
export async function startDetachedKeeper(
  stateDirectory: string,
  batchId: BatchId,
  values: SessionValues,
): Promise<void> {
  const keeper = spawnSelf(hiddenCommands.keeper, { stateDirectory, batchId, values });
  await keeper.fed;
  keeper.unref();
}

/**
 * Starts a keeper for a batch that this process runs without one: in the foreground, or because its keeper was killed.
 * The keeper then follows us, and sees our end. False if none can be started, because of too little space, too few processes or
 * descriptors, or because the store was removed: then the batch continues without one.
 */
export function startFollowingKeeper(store: Store, batchId: BatchId, values: SessionValues): boolean {
  const { database, stateDirectory } = store.layout;
  // A removed store must not be created again.
  if (!exists(database)) return false;
  try {
    using log = openRunnerLog(store, batchId);
    spawnSelf(hiddenCommands.keeper, { stateDirectory, batchId, log: log.descriptor, values }).unref();
    return true;
  } catch {
    // Whatever is lacking, the next beats try again.
    return false;
  }
}

/**
 * Starts the notifier, which announces the end of a batch. A process of its own, because the runner of a batch must exit
 * before the next one can start. The batch has ended, whether it can start or not.
 */
export function startNotifier(store: Store, batchId: BatchId): void {
  try {
    const { database, stateDirectory } = store.layout;
    // A removed store must not be created again.
    if (!exists(database)) throw new Error(`${database} has been removed`);
    // Not our own output, which may be a terminal.
    using log = openRunnerLog(store, batchId);
    spawnSelf(hiddenCommands.notifier, { stateDirectory, batchId, log: log.descriptor }).unref();
  } catch (error) {
    console.error(
      `${new Date().toISOString()} The end of ${batchId} cannot be announced: ${messageOf(error)}`,
    );
  }
}

/**
 * Starts the process that removes old batches, if that is wanted and due, and no other batch runs. A process of its own, as
 * the notifier is; another batch may begin meanwhile, and is not touched.
 */
export function startTidier(store: Store, { batch }: BatchState): void {
  if (!batch.retention || !isTidyingDue(store.database, Date.now())) return;
  try {
    const { stateDirectory } = store.layout;
    // Not our own output, which may be a terminal.
    using log = openRunnerLog(store, batch.batchId);
    const { descriptor } = log;
    spawnSelf(hiddenCommands.tidier, { stateDirectory, batchId: batch.batchId, log: descriptor }).unref();
  } catch (error) {
    console.error(`${new Date().toISOString()} Old batches cannot be removed: ${messageOf(error)}`);
  }
}

/** The batch's `runner.log`, to which all its processes print. */
function openRunnerLog({ layout }: Store, batchId: BatchId) {
  makePrivateDirectory(layout.batchDirectory(batchId));
  const path = layout.runnerLog(batchId);
  const descriptor = openForAppending(path);
  return { path, descriptor, [Symbol.dispose]: () => closeDescriptor(descriptor) };
}
