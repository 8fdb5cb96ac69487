// Does to living processes what a round has drawn for them.
import { existsSync, readdirSync, watch } from "node:fs";
import type { BatchId } from "../../src/model/batch-id.ts";
import { localProcess } from "../../src/model/session-ref.ts";
import { identityOf, signalProcess } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { descendantsOf } from "../../src/platform/process-table.ts";
import { outputFiles } from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import type { Home } from "../harness.ts";
import type { Fault, Moment, Target } from "./plan.ts";
import type { Random } from "./random.ts";

/** A round while it runs: who can be hit. */
export interface Stage {
  home: Home;
  store: Store;
  batchId: BatchId;
  /** The server that the client talks to at this moment. */
  doorPid(): number;
  /** Aborted when the batch has ended. */
  over: AbortSignal;
  random: Random;
}

/** A moment that does not come is not waited for longer than this, in milliseconds. */
const longestWaitMs = 3_000;

/** Waits for the fault's moment, and strikes. Gives how many processes were hit. */
export async function strike(stage: Stage, fault: Fault): Promise<number> {
  await pause(fault.pauseMs, stage.over);
  await comes(stage, fault.moment);
  await pause(fault.lateMs, stage.over);
  if (stage.over.aborted) return 0;
  const targets = processesOf(stage, fault.target);
  const hit = targets.filter((target) => signalProcess(target, fault.signal)).length;
  if (fault.signal !== "SIGSTOP") return hit;
  // Even if the batch has ended meanwhile: a stopped process would stay forever.
  await Bun.sleep(fault.stoppedMs);
  for (const target of targets) signalProcess(target, "SIGCONT");
  return hit;
}

/** Resolves after a time, or as soon as the signal is aborted. */
export async function pause(ms: number, over: AbortSignal): Promise<void> {
  if (ms <= 0 || over.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  over.addEventListener("abort", stop, { once: true });
  await promise;
  clearTimeout(timer);
  over.removeEventListener("abort", stop);
}

async function comes({ home, store, batchId, over }: Stage, moment: Moment): Promise<void> {
  if (moment === "any" || over.aborted) return;
  const transcripts = moment !== "a result file appears";
  const directory = transcripts ? store.layout.batchDirectory(batchId) : home.output;
  if (!existsSync(directory)) return;
  const before = new Set(readdirSync(directory));
  const { promise, resolve } = Promise.withResolvers<void>();
  const lines = outputFiles.lines(batchId);
  const watcher = watch(directory, (_, name) => {
    if (name === null || name.endsWith(".part")) return;
    const isNew = !before.has(name);
    if (moment === "a transcript grows" ? name.endsWith(".ndjson") && !isNew : isNew || name === lines)
      resolve();
  });
  const timer = setTimeout(resolve, longestWaitMs);
  const stop = () => resolve();
  over.addEventListener("abort", stop, { once: true });
  await promise;
  over.removeEventListener("abort", stop);
  clearTimeout(timer);
  watcher.close();
}

function processesOf({ home, store, batchId, doorPid, random }: Stage, target: Target): ProcessIdentity[] {
  const { runner, keeper } = store.row(batchId) ?? {};
  switch (target) {
    case "runner":
      return present([runner]);
    case "keeper":
      return present([keeper]);
    case "runner and keeper":
      return present([keeper, runner]);
    case "session": {
      const tasks = store.batch(batchId)?.state.tasks ?? [];
      const running = tasks.filter((task) => task.status === "running");
      return present([localProcess(random.one(running)?.attempts.at(-1)?.identity)]);
    }
    case "door":
      return living([doorPid()]);
    case "door and its descendants":
      return [...descendantsOf(doorPid()), ...living([doorPid()])];
    case "all but the sessions":
      return living(
        home
          .processes()
          .filter(({ command }) => isOurs(command))
          .map(({ pid }) => pid),
      );
    case "everything":
      return living(home.processes().map(({ pid }) => pid));
  }
}

function present(identities: (ProcessIdentity | undefined)[]): ProcessIdentity[] {
  return identities.filter((identity) => identity !== undefined);
}

// By identity, so that no later process with the same pid is hit.
function living(pids: number[]): ProcessIdentity[] {
  return present(pids.map(identityOf));
}

function isOurs(command: string): boolean {
  return /src\/main\.ts|parallel-claude-code-mcp/.test(command) && !command.includes("fixtures/");
}
