// A worker of a fleet: takes jobs, as many as this machine can run, and runs them as its own batches.
import { startWorkerKeeper } from "../engine/runner/worker-keeper.ts";
import { blobStoreOf } from "../fleet/blobs.ts";
import { readJob } from "../fleet/job.ts";
import { removeLeftWork } from "../fleet/open-work.ts";
import { refusal } from "../fleet/policy.ts";
import type { Fleet } from "../fleet/settings.ts";
import { isSigned } from "../fleet/signature.ts";
import { fleetTiming } from "../fleet/timing.ts";
import { FleetWorker, type Run, type RunEnd } from "../fleet/worker-queue.ts";
import type { WorkerPolicy } from "../model/fleet.ts";
import { memoryNow } from "../platform/memory.ts";
import { join } from "../platform/paths.ts";
import { processorCount } from "../platform/processors.ts";
import { type Context, newContext } from "./context.ts";
import { runJob } from "./fleet-job.ts";

/** Sessions mostly wait for the API: this many for each processor, if nothing else is said. */
const sessionsPerProcessor = 4;
/** What a session may need, in bytes. */
const bytesPerSession = 500_000_000;

/** How many jobs this machine takes at once, unless that is set. What they really need, each batch sees when it starts one. */
export function usualSlots(concurrency: number | "auto"): number {
  if (concurrency !== "auto") return concurrency;
  const byMemory = Math.floor(memoryNow().availableBytes / bytesPerSession);
  return Math.max(1, Math.min(processorCount() * sessionsPerProcessor, byMemory));
}

/** Where the files of tasks are, in the state directory. */
const workFolder = "fleet";

/** What its keeper prints, below that. */
const keeperLog = "keeper.log";

export interface WorkerAsked {
  context: Context;
  fleet: Fleet;
  policy: WorkerPolicy;
  name: string;
  slots: number;
  say(text: string): void;
}

/** Begins to take jobs. */
export async function startWorker({
  context,
  fleet,
  policy,
  name,
  slots,
  say,
}: WorkerAsked): Promise<FleetWorker> {
  const blobs = blobStoreOf(fleet);
  const contexts = new Contexts();
  const folder = join(context.store.layout.stateDirectory, workFolder);
  await removeLeftWork(folder);
  const keeper = startWorkerKeeper(context.store.layout.stateDirectory, join(folder, keeperLog));
  const run = async (one: Run): Promise<RunEnd> => {
    const refused = (message: string): RunEnd => ({
      kind: "result",
      result: { kind: "refused", worker: name, message },
    });
    const read = readJob(one.data);
    if (!read.ok) return refused(read.message);
    const { job } = read;
    if (!isSigned(job, fleet.key)) return refused("The task is not signed with this worker's key.");
    const why = refusal(job, policy);
    if (why !== undefined) return refused(why);
    using borrowed = contexts.borrow();
    return await runJob(borrowed.context, job, one, {
      worker: name,
      blobs,
      folder,
      directories: policy.directories,
      keeper,
    });
  };
  return await FleetWorker.start({
    place: fleet,
    name,
    slots,
    timing: fleetTiming(),
    run,
    key: fleet.key,
    putAside: (id, text) => blobs.put(`${id}/result`, new TextEncoder().encode(text)),
    say,
  });
}

/** Contexts, one for each job that runs: those who share one do not see what the others write to the store. */
class Contexts {
  readonly #idle: Context[] = [];

  borrow(): { context: Context } & Disposable {
    const context = this.#idle.pop() ?? newContext("tools");
    return { context, [Symbol.dispose]: () => void this.#idle.push(context) };
  }
}
