// The keeper of a fleet's worker: one process for all its batches, because a keeper for each task would cost more than the task.
import { noValues } from "../../model/session-values.ts";
import { clock } from "../../platform/clock.ts";
import { closeDescriptor, exists, makePrivateDirectory, openForAppending } from "../../platform/files.ts";
import { livenessWatch } from "../../platform/liveness-watch.ts";
import { isNoOrphan } from "../../platform/orphans.ts";
import { dirname } from "../../platform/paths.ts";
import { identityOf, ownIdentity } from "../../platform/process.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { selfCommand } from "../../platform/self.ts";
import type { Store } from "../../store/store.ts";
import { workerKeeperCommand } from "./hidden-commands.ts";
import { keepOn } from "./keeper.ts";

/** Starts it, printing to a file. Undefined if no process can be started: then each batch gets a keeper of its own. */
export function startWorkerKeeper(stateDirectory: string, log: string): ProcessIdentity | undefined {
  try {
    makePrivateDirectory(dirname(log));
    const output = openForAppending(log);
    try {
      const child = isNoOrphan(
        Bun.spawn([...selfCommand(), workerKeeperCommand, stateDirectory, JSON.stringify(ownIdentity())], {
          cwd: stateDirectory,
          stdin: "ignore",
          stdout: output,
          stderr: output,
          detached: true,
          windowsHide: true,
        }),
      );
      child.unref();
      return identityOf(child.pid);
    } finally {
      closeDescriptor(output);
    }
  } catch {
    // Whatever is lacking, the batches look for keepers themselves.
    return undefined;
  }
}

/** Waits until the worker has ended, and takes the batches that it has left to their end: their sessions are stopped. */
export async function keepWorker(store: Store, worker: ProcessIdentity): Promise<void> {
  const liveness = livenessWatch();
  while (liveness(worker) !== "dead") {
    if (!exists(store.layout.database)) return;
    await clock.next("second");
  }
  const own = ownIdentity();
  const left = store.unended().filter(({ keeper }) => keeper && Bun.deepEquals(keeper, own));
  await Promise.all(left.map(({ batchId }) => keepOn(store, batchId, noValues)));
}
