// A worker of a fleet: takes jobs, as many as this machine can run, and runs them as its own batches.
import { startWorkerKeeper } from "../engine/runner/worker-keeper.ts";
import { blobStoreOf } from "../fleet/blobs.ts";
import { jobIdOf, readJob } from "../fleet/job.ts";
import { removeLeftWork } from "../fleet/open-work.ts";
import { refusal } from "../fleet/policy.ts";
import type { Fleet } from "../fleet/settings.ts";
import { fingerprintOf, isSigned } from "../fleet/signature.ts";
import { fleetTiming } from "../fleet/timing.ts";
import { FleetWorker, type Run, type RunEnd } from "../fleet/worker-queue.ts";
import type { WorkerPolicy } from "../model/fleet.ts";
import { memoryNow } from "../platform/memory.ts";
import { join } from "../platform/paths.ts";
import { processorCount } from "../platform/processors.ts";
import { type Context, newContext, UserError } from "./context.ts";
import { meantSpec, runJob, whyUnable, workerPauseMs } from "./fleet-job.ts";
import { JobBatches } from "./job-batches.ts";

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
  /** Files that no session may read or write. Absolute. */
  secretFiles: readonly string[];
  name: string;
  slots: number;
  say(text: string): void;
}

/** Begins to take jobs. Throws `UserError` if this machine could run none. */
export async function startWorker({
  context,
  fleet,
  policy,
  secretFiles,
  name,
  slots,
  say,
}: WorkerAsked): Promise<FleetWorker> {
  const blobs = blobStoreOf(fleet);
  // One store for all jobs: with one for each, what a job writes would wake all others, many times a second.
  const ofJobs = newContext("tools");
  const batches = new JobBatches(ofJobs);
  const folder = join(context.store.layout.stateDirectory, workFolder);
  const why = await whyUnable(context, folder);
  if (why !== undefined) throw new UserError(`This machine can run no task: ${why} Nothing was started.`);
  await removeLeftWork(folder);
  const keeper = startWorkerKeeper(context.store.layout.stateDirectory, join(folder, keeperLog));
  /** Whether this worker's key is that of somebody else, as far as is known. */
  let isOwnKeyKnown = false;
  const run = async (one: Run): Promise<RunEnd> => {
    const refused = (message: string): RunEnd => ({
      kind: "result",
      result: { kind: "refused", worker: name, message },
    });
    const read = readJob(one.data);
    if (!read.ok) return refused(read.message);
    const { job } = read;
    if (!isSigned(job, fleet.key))
      return job.keyId === undefined || job.keyId === fingerprintOf(fleet.key)
        ? refused("The task is not signed with this worker's key.")
        : ofOtherKey(job.keyId, one, { isOwnKeyKnown, refused });
    isOwnKeyKnown = true;
    // Signed, but an old one, or another one.
    if (jobIdOf(job) !== one.id) return refused(`The task belongs to ${jobIdOf(job)}, and not to ${one.id}.`);
    const meant = meantSpec(job.spec);
    if (!meant.ok) return refused(meant.says);
    // As it is written, and as this program understands it.
    const against = refusal(job, policy) ?? refusal({ ...job, spec: meant.spec }, policy);
    if (against !== undefined) return refused(against);
    return await runJob(ofJobs, job, one, {
      batches,
      worker: name,
      blobs,
      folder,
      directories: policy.directories,
      mostUsd: policy.maxBudgetUsd,
      secretFiles,
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
    putAside: (blob, text) => blobs.put(blob, new TextEncoder().encode(text)),
    say,
  });
}

// Either its key or this worker's is the wrong one, which the others know. Where this one's is right, the task is.
function ofOtherKey(
  keyId: string,
  { isLast }: Run,
  { isOwnKeyKnown, refused }: { isOwnKeyKnown: boolean; refused(message: string): RunEnd },
): RunEnd {
  const because = `A task is signed with another key, whose fingerprint is ${keyId}; \`doctor --fleet\` prints that of the own one.`;
  if (isLast) return refused(because);
  const failure = { because, isOfWorker: false };
  if (isOwnKeyKnown) return { kind: "handed-back", failure };
  return { kind: "handed-back", failure, workerPause: { ms: workerPauseMs, because } };
}
