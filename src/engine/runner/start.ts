// Starts the processes of a batch, so that they outlive the process that requested it.
import { cleanEnvironment } from "../../claude/environment.ts";
import type { BatchId } from "../../model/batch-id.ts";
import { hasValues, noValues, type SessionValues, valuesText } from "../../model/session-values.ts";
import { closeDescriptor, exists, makePrivateDirectory, openForAppending } from "../../platform/files.ts";
import { becomeSubreaper, isNoOrphan, reapEveryMs, reapOrphans } from "../../platform/orphans.ts";
import { livenessOf, ownIdentity } from "../../platform/process.ts";
import { selfCommand } from "../../platform/self.ts";
import { messageOf } from "../../platform/system-error.ts";
import type { Store } from "../../store/store.ts";
import { Restarts, type RunnerEnd } from "./restarts.ts";

/** Hidden subcommands of the executable; each takes the state directory and the batch. */
export const hiddenCommands = {
  starter: "__starter",
  keeper: "__keeper",
  runner: "__runner",
  notifier: "__notifier",
} as const;

/** The argument that announces values of `env` on stdin. */
export const valuesOnStdin = "--values-on-stdin";

/** How long a keeper or runner that has nothing left to do may take to exit, in milliseconds; its successor waits. */
export const leavingMs = 3_000;

/** Exit status of a runner that could not work because of disk or system (`EX_TEMPFAIL`). */
export const hinderedCode = 75;

/** How often a keeper checks a runner that it did not start, in milliseconds. */
const followEveryMs = 100;

/**
 * Starts the keeper of a batch through a process that exits at once, so that the keeper descends from nobody whose end
 * would take it along. `environment` overrides our own: a batch is resumed with its original values. `values` go through
 * pipes, because a file would keep them and a command line would show them. Throws if that process fails.
 */
export async function startKeeper(
  store: Store,
  batchId: BatchId,
  {
    environment = {},
    values = noValues,
  }: { environment?: Record<string, string>; values?: SessionValues } = {},
): Promise<void> {
  makePrivateDirectory(store.layout.batchDirectory(batchId));
  const log = openForAppending(store.layout.runnerLog(batchId));
  try {
    const { stateDirectory } = store.layout;
    const starter = spawnOurselves(hiddenCommands.starter, stateDirectory, batchId, {
      log,
      environment,
      values,
    });
    await starter.fed;
    const code = await starter.exited;
    if (code !== 0)
      throw new Error(
        `the process that starts the runner ended with ${code}; see ${store.layout.runnerLog(batchId)}`,
      );
  } finally {
    closeDescriptor(log);
  }
}

/** The starter: starts a keeper and exits. Our output is the batch's `runner.log`, and becomes the keeper's. */
export async function startDetachedKeeper(
  stateDirectory: string,
  batchId: string,
  values: SessionValues,
): Promise<void> {
  const keeper = spawnOurselves(hiddenCommands.keeper, stateDirectory, batchId, { values });
  await keeper.fed;
  keeper.unref();
}

/**
 * Starts a keeper for a batch that this process runs without one: in the foreground, or because its keeper was killed.
 * The keeper then sees our end. False if none can be started, because of too little space, too few processes or
 * descriptors, or because the store was removed: then the batch continues without one.
 */
export function startFollower(store: Store, batchId: BatchId, values: SessionValues): boolean {
  const { layout } = store;
  // A removed store must not be created again.
  if (!exists(layout.database)) return false;
  try {
    makePrivateDirectory(layout.batchDirectory(batchId));
    const log = openForAppending(layout.runnerLog(batchId));
    try {
      spawnOurselves(hiddenCommands.keeper, layout.stateDirectory, batchId, { log, values }).unref();
      return true;
    } finally {
      closeDescriptor(log);
    }
  } catch {
    return false;
  }
}

/**
 * The keeper: waits for the runner, and starts a new one after an abnormal end, as `Restarts` decides. Each gets the
 * values, which only the keeper has. Polls a runner that it did not start.
 */
export async function keep(store: Store, batchId: BatchId, values: SessionValues): Promise<void> {
  // Several calls may find a batch without a keeper at once; one keeper is enough. The keeper of a batch that was just
  // retried may still be exiting.
  const deadline = performance.now() + leavingMs;
  if (!store.row(batchId)) throw new Error(`Internal error: the store has no batch ${batchId}`);
  while (!store.claimKeeper(batchId, ownIdentity())) {
    if (performance.now() > deadline) return;
    await Bun.sleep(50);
  }
  // Processes that a session left behind must not escape when its runner dies.
  await becomeSubreaper();
  const reaping = setInterval(reapOrphans, reapEveryMs);
  try {
    await follow(store, batchId);
    if (store.row(batchId)?.endedAt === undefined) await startRunners(store, batchId, values);
  } finally {
    clearInterval(reaping);
  }
}

async function follow(store: Store, batchId: BatchId): Promise<void> {
  for (;;) {
    const row = exists(store.layout.database) ? store.row(batchId) : undefined;
    if (!row?.runner || row.endedAt !== undefined || livenessOf(row.runner) === "dead") return;
    await Bun.sleep(followEveryMs);
  }
}

async function startRunners(store: Store, batchId: BatchId, values: SessionValues): Promise<void> {
  for (const restarts = new Restarts(); ; ) {
    restarts.began();
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
    const runner = spawnOurselves(hiddenCommands.runner, stateDirectory, batchId, { values });
    const code = await runner.exited;
    if (code === 0 || store.row(batchId)?.endedAt !== undefined) return "done";
    say(`The runner of ${batchId} ended with ${runner.signalCode ?? code}.`);
    return code === hinderedCode ? "hindered" : "crashed";
  } catch (error) {
    // No process, memory or descriptor is available, or the store is unreadable now.
    say(`The runner of ${batchId} cannot be started: ${messageOf(error)}`);
    return "hindered";
  }
}

function say(text: string): void {
  console.error(`${new Date().toISOString()} ${text}`);
}

/**
 * Starts the notifier, which announces the end of a batch. A process of its own, because the runner of a batch must exit
 * before the next one can start. Our output, `runner.log`, becomes its. The batch has ended, whether it can start or not.
 */
export function startNotifier(store: Store, batchId: BatchId): void {
  try {
    spawnOurselves(hiddenCommands.notifier, store.layout.stateDirectory, batchId).unref();
  } catch (error) {
    say(`The end of ${batchId} cannot be announced: ${messageOf(error)}`);
  }
}

function spawnOurselves(
  command: string,
  stateDirectory: string,
  batchId: string,
  {
    log = "inherit",
    environment = {},
    values = noValues,
  }: { log?: number | "inherit"; environment?: Record<string, string>; values?: SessionValues } = {},
) {
  const isFed = hasValues(values);
  const child = isNoOrphan(
    Bun.spawn([...selfCommand(), command, stateDirectory, batchId, ...(isFed ? [valuesOnStdin] : [])], {
      cwd: stateDirectory,
      env: { ...cleanEnvironment(process.env), ...environment },
      stdin: isFed ? "pipe" : "ignore",
      stdout: log,
      stderr: log,
      detached: true,
      windowsHide: true,
    }),
  );
  const { exited } = child;
  return {
    exited,
    get signalCode() {
      return child.signalCode;
    },
    unref: () => child.unref(),
    /** Resolves when the child has the values, or has exited, which its exit status shows. */
    fed: feed(child.stdin, values).catch(() => undefined),
  };
}

async function feed(stdin: Bun.FileSink | undefined, values: SessionValues): Promise<void> {
  if (!stdin) return;
  stdin.write(valuesText(values));
  await stdin.end();
}
