// The hidden subcommands: the processes of a batch. Their output is the batch's `runner.log`. Each loads only what it
// needs itself: a starter exits at once, and a keeper waits as long as its batch runs.
import {
  blockedCode,
  hiddenCommands,
  loggedCommand,
  valuesOnStdin,
  workerKeeperCommand,
} from "../engine/runner/hidden-commands.ts";
import { farCommands } from "../far/commands.ts";
import { type BatchId, batchIdSchema } from "../model/batch-id.ts";
import { noValues, type SessionValues, valuesFromText } from "../model/session-values.ts";
import { exists } from "../platform/files.ts";
import { processIdentity } from "../platform/process-identity.ts";
import { layoutOf } from "../store/layout.ts";

/** Runs a hidden subcommand, and returns its exit status: 0 if no other process must act. */
export async function runHidden(
  command: string,
  [stateDirectory = "", batch, fed]: string[],
): Promise<number> {
  if (command === workerKeeperCommand) {
    const [{ keepWorker }, { Store }] = await Promise.all([
      import("../engine/runner/worker-keeper.ts"),
      import("../store/store.ts"),
    ]);
    using store = new Store(stateDirectory);
    await keepWorker(store, processIdentity.parse(JSON.parse(batch ?? "")));
    return 0;
  }
  if (command === loggedCommand) {
    const { runLogged } = await import("../operations/schedule/run-logged.ts");
    return runLogged(stateDirectory);
  }
  if (command === farCommands.relay || command === farCommands.keeper)
    return (await import("../operations/lend.ts")).lend(command, stateDirectory);
  const batchId = batchIdSchema.parse(batch);
  const values = fed === valuesOnStdin ? valuesFromText(await Bun.stdin.text()) : noValues;
  if (command === hiddenCommands.starter) {
    const { startDetachedKeeper } = await import("../engine/runner/start-processes.ts");
    await startDetachedKeeper(stateDirectory, batchId, values);
    return 0;
  }
  // Removing the store has ended the batch, and must not create an empty one.
  if (!exists(layoutOf(stateDirectory).database)) {
    console.error(`The store of ${batchId} has been removed.`);
    return 0;
  }
  if (command === hiddenCommands.runner) return runUnderKeeper(stateDirectory, batchId, values);
  const { Store } = await import("../store/store.ts");
  using store = new Store(stateDirectory);
  if (command === hiddenCommands.keeper) {
    const { keep } = await import("../engine/runner/keeper.ts");
    await keep(store, batchId, values);
    return 0;
  }
  if (command === hiddenCommands.notifier) {
    const ended = store.batch(batchId);
    if (ended) await (await import("../engine/output/notify.ts")).notifyOf(ended.state);
    return 0;
  }
  if (command === hiddenCommands.tidier) {
    const ended = store.batch(batchId);
    if (ended) await (await import("../operations/retention/tidy.ts")).tidy(store, ended.state);
    return 0;
  }
  throw new Error(`Internal error: ${command} of batch ${batchId}`);
}

async function runUnderKeeper(
  stateDirectory: string,
  batchId: BatchId,
  values: SessionValues,
): Promise<number> {
  const [{ runBatch }, { Store }, { isStorageTrouble, StoreProblem }] = await Promise.all([
    import("../engine/runner/runner.ts"),
    import("../store/store.ts"),
    import("../store/database.ts"),
  ]);
  try {
    using store = new Store(stateDirectory);
    const log = store.batch(batchId);
    if (!log) throw new Error(`Internal error: the store has no batch ${batchId}`);
    // False means that another runner has the batch: then there is nothing left to do here.
    await runBatch(store, log, { values });
    return 0;
  } catch (error) {
    // Report first: sessions and timers must not keep a failed runner alive.
    const { withoutCommand } = await import("../platform/system-error.ts");
    console.error(withoutCommand(error));
    return error instanceof StoreProblem || isStorageTrouble(error) ? blockedCode : 1;
  }
}
