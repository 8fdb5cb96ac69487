// Runs one job of a fleet: as a task of a batch in this machine's store, like `run-task`.
import { concerns, isOfSome } from "../engine/account/hold.ts";
import { BlobError, type BlobStore } from "../fleet/blobs.ts";
import { type Carried, type FleetJob, type JobResult, longestInlineBytes } from "../fleet/job.ts";
import { type OpenWork, openWork, WorkFailed } from "../fleet/open-work.ts";
import type { Run, RunEnd } from "../fleet/worker-queue.ts";
import { batchIdSchema } from "../model/batch-id.ts";
import { changesMessage } from "../model/branch-name.ts";
import { toolRuleList } from "../model/options.ts";
import type { AttemptOutcome, Usage } from "../model/outcome.ts";
import type { Attempt, DoneTask, TaskState } from "../model/state.ts";
import { optionsOf } from "../model/task-options.ts";
import { usageOfAll } from "../model/usage-sum.ts";
import { clock } from "../platform/clock.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { messageOf } from "../platform/system-error.ts";
import { outcomeText } from "../report/outcome-text.ts";
import { Holds } from "../store/holds.ts";
import { stderrBeside } from "../store/layout.ts";
import type { Context } from "./context.ts";
import type { Fault } from "./fault.ts";
import { faultText, problemsText, toolWording } from "./fault-text.ts";
import type { Checked } from "./faults.ts";
import { type JobBatches, type JobTask, runsHere } from "./job-batches.ts";
import { planBatch } from "./plan.ts";
import { type RawOptions, rawObject } from "./raw-options.ts";
import { inSpec, taskSpecReader } from "./task-spec.ts";

/** How long a job may wait for something on this machine before another one may have it, in milliseconds. */
const longestWaitMs = 15_000;
/** How long nobody takes it then, in milliseconds. */
const afterWaitMs = 2_000;
/** How long this worker takes no jobs then, in milliseconds: what it waits for is slots, memory or disk space of the machine. */
const machinePauseMs = 15_000;
/** How long a worker takes no jobs when its login, its credit or its Claude Code does not work, in milliseconds. */
export const workerPauseMs = 60_000;
/** How long the account pauses at most before a worker looks again, in milliseconds. */
const longestPauseMs = 15 * 60_000;
/** How long it pauses if no end is known, in milliseconds. */
const usualPauseMs = 60_000;
/** Longer transcripts go to the blob store even if they would compress well, in bytes. */
const longestPackedBytes = 256 * 1024;

export interface JobParts {
  batches: JobBatches;
  /** How the worker calls itself. */
  worker: string;
  blobs: Pick<BlobStore, "put" | "getTo">;
  /** Where the files of tasks are, on this machine alone. */
  folder: string;
  /** Directories of a shared file system that tasks may work in. */
  directories: readonly string[];
  /** Files that no session may read or write. Absolute. */
  secretFiles: readonly string[];
  /** Once all attempts at a task have cost this, no other one is made, in US dollars. */
  mostUsd?: number | undefined;
  /** The process that ends what is left of the batch if this one is killed. */
  keeper: ProcessIdentity | undefined;
}

const readSpec = taskSpecReader();

type HandedBack = Omit<Extract<RunEnd, { kind: "handed-back" }>, "usage" | "tidy">;

/** Runs a job to its end, or until it must be handed back. */
export async function runJob(context: Context, job: FleetJob, run: Run, parts: JobParts): Promise<RunEnd> {
  const refused = (message: string): RunEnd => ({
    kind: "result",
    result: { kind: "refused", worker: parts.worker, message },
  });
  // Another machine may run it. What none can run is refused in the end.
  const unable = (because: string): RunEnd =>
    run.isLast ? refused(because) : { ...handedBackBy(because), failure: { because, isOfWorker: true } };
  const read = readSpec(specOf(job));
  if (!read.ok) return refused(wordsOf(read.faults));
  try {
    await using files = await openWork(job.work, { ...parts, signal: run.signal });
    const { tasks }: { tasks?: unknown } = read.value.input;
    const [task] = Array.isArray(tasks) ? tasks : [];
    const running = new RunningJob(context, { job, run, parts });
    try {
      const begun = await running.begin({
        ...read.value.input,
        ...(parts.mostUsd === undefined ? {} : { batchBudgetUsd: parts.mostUsd }),
        tasks: [{ ...task, workingDirectory: files.directory, disallowedTools: deniedTools(task, parts) }],
      });
      if (!begun.ok) {
        const says = wordsOf(inSpec(begun.faults));
        return begun.faults.some(isOfMachine) ? unable(says) : refused(says);
      }
      const end = await running.toItsEnd(begun.value);
      return await withChanges(end, job, files, run);
    } catch (error) {
      const { task } = running;
      if (!task) throw error;
      const { attempts } = task.state;
      const used = usedBy(task.state);
      abandon(task);
      const { reason } = run.signal;
      const because = messageOf(error);
      const end = brokenOff({ because, reason, used, attempts: attempts.length, worker: parts.worker });
      return end ?? unable(`A task could not be run to its end: ${because}.`);
    }
  } catch (error) {
    const { reason } = run.signal;
    const because = messageOf(error);
    const end = brokenOff({ because, reason, used: undefined, attempts: 0, worker: parts.worker });
    if (end) return end;
    if (!(error instanceof WorkFailed)) return unable(`The task could not be begun: ${messageOf(error)}.`);
    const { message, isOutage } = error;
    if (isOutage) {
      run.report(message);
      return { kind: "handed-back", failure: { because: message, isOfWorker: true, isOutage } };
    }
    if (run.isLast || !error.isTemporary) return refused(message);
    return { kind: "handed-back", failure: { because: message, isOfWorker: true } };
  }
}

/** What a task has used. A session that still runs may cost more than is known, and nobody watches it any more. */
export function usedBy(task: TaskState): Usage | undefined {
  const used = usageOfAll(task.attempts.flatMap(({ usage }) => usage ?? []));
  if (task.status !== "running") return used;
  return { costUsd: 0, numTurns: 0, durationMs: 0, ...used, atLeast: true };
}

// Nobody waits for it any more.
function abandon(task: JobTask): void {
  try {
    task.stop();
  } catch (error) {
    console.error(`${new Date().toISOString()} A task that failed could not be ended:`, error);
  }
}

interface BrokenOff {
  because: string;
  /** Why the run had to end, if it had to. */
  reason: unknown;
  /** What its sessions had used. */
  used: Usage | undefined;
  attempts: number;
  worker: string;
}

/**
 * The end of a run that could not be taken to its end: once its session has been paid for, nobody runs it again. Undefined
 * if it has cost nothing, and may be tried again.
 */
export function brokenOff({ because, reason, used, attempts, worker }: BrokenOff): RunEnd | undefined {
  const usage = used ? { usage: used } : {};
  if (reason === "stopped") return { kind: "result", result: { kind: "stopped", worker, ...usage } };
  if (reason !== undefined) return { kind: "handed-back", ...usage };
  if (!used) return undefined;
  const stderrTail = `The worker could not take the task to its end: ${because}`;
  const outcome = { kind: "crashed" as const, stderrTail };
  return { kind: "result", result: { kind: "ended", worker, outcome, attempts, ...usage } };
}

/** Why this machine could run no job, as sentences; undefined if it could. `folder`: where the files of tasks are. */
export async function whyUnable(context: Context, folder: string): Promise<string | undefined> {
  try {
    await using files = await openWork({ kind: "empty" }, { folder, blobs: noBlobs, directories: [] });
    const planned = await planBatch(context, "run", {
      tasks: [{ task: "x", workingDirectory: files.directory }],
      ...runsHere,
    });
    return planned.ok ? undefined : wordsOf(inSpec(planned.faults));
  } catch (error) {
    return `${messageOf(error).replace(/\.$/, "")}.`;
  }
}

/** An empty directory needs none. */
const noBlobs: JobParts["blobs"] = {
  put: () => Promise.reject(new Error("Internal error: nothing to store")),
  getTo: () => Promise.reject(new Error("Internal error: nothing to read")),
};

/** What a task asks for, as this program understands it; or why it understands nothing, in sentences. */
export function meantSpec(
  given: RawOptions,
): { ok: true; spec: Record<string, unknown> } | { ok: false; says: string } {
  const read = readSpec(given);
  if (!read.ok) return { ok: false, says: wordsOf(read.faults) };
  const { tasks, ...ofBatch } = read.value.input;
  const [task] = Array.isArray(tasks) ? tasks : [];
  return { ok: true, spec: { ...ofBatch, ...rawObject(task) } };
}

// Nothing that the task asks for: Claude Code is missing here, or too old, or the directory is outside the allowed ones.
function isOfMachine(fault: Fault): boolean {
  return fault.kind === "general" || fault.place.at(-1) === "workingDirectory";
}

function handedBackBy(because: string, ms = workerPauseMs): HandedBack {
  return { kind: "handed-back", afterMs: afterWaitMs, workerPause: { ms, because } };
}

// What the task denies itself, and the worker's own secrets.
function deniedTools(task: unknown, { secretFiles }: JobParts): string[] {
  const own = rawObject(task)["disallowedTools"];
  const rules = typeof own === "string" ? [own] : Array.isArray(own) ? own.map(String) : [];
  // In a rule, an absolute path begins with two slashes.
  const paths = secretFiles.map((path) => `/${path.replaceAll("\\", "/").replace(/^([A-Za-z]):/, "/$1")}`);
  return [...toolRuleList(rules), ...paths.flatMap((path) => [`Read(${path})`, `Edit(${path})`])];
}

/** How long a result waits for room on the disk of this machine, in milliseconds: other tasks may free some. */
const longestFullMs = 10 * 60_000;

/**
 * Tries again while the blob store is away, or for a while if this machine's disk is full: what is stored has been paid for. Throws
 * what went wrong last once the run must end.
 */
export async function untilStored<Value>(
  run: Pick<Run, "signal" | "report">,
  act: () => Promise<Value>,
): Promise<Value> {
  const since = performance.now();
  const passes = (error: unknown) =>
    error instanceof WorkFailed && error.isOutage && performance.now() - since < longestFullMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (run.signal.aborted || !(error instanceof BlobError || passes(error))) throw error;
      run.report(`Its result cannot be stored yet: ${messageOf(error)}`);
    }
    await clock.next("rest");
  }
}

// With what the session has changed, whatever its outcome. That it cannot be read does not undo what was paid for.
async function withChanges(end: RunEnd, job: FleetJob, files: OpenWork, run: Run): Promise<RunEnd> {
  if (end.kind !== "result" || end.result.kind !== "ended") return end;
  const { result } = end;
  const message = changesMessage(job.batchId, job.number);
  // Each time that they are read, it is the same.
  const remarks = new Set(result.remarks);
  const as = { name: `${run.blobs}/changes`, message, left: (says: string) => void remarks.add(says) };
  try {
    const changes = await untilStored(run, () => files.changes(as));
    const more = remarks.size > 0 ? { remarks: [...remarks] } : {};
    return { ...end, result: { ...result, ...more, ...(changes ? { work: changes } : {}) } };
  } catch (error) {
    if (error instanceof BlobError) throw error;
    const remark = messageOf(error);
    return { ...end, result: { ...result, remarks: [...(result.remarks ?? []), remark] } };
  }
}

// What is asked of one attempt, whatever the options say.
function specOf({ spec, budgetUsd }: FleetJob): Record<string, unknown> {
  const own = spec["maxBudgetUsd"];
  const least = Math.min(
    typeof own === "number" ? own : Number.POSITIVE_INFINITY,
    budgetUsd ?? Number.POSITIVE_INFINITY,
  );
  return {
    ...spec,
    reuse: "never",
    reuseSessions: "never",
    ...(Number.isFinite(least) ? { maxBudgetUsd: least } : {}),
  };
}

function wordsOf(faults: Parameters<typeof inSpec>[0]): string {
  const texts = faults.map((fault) => faultText(fault, toolWording));
  return texts.length === 1 ? `${texts[0]}.` : problemsText(texts);
}

class RunningJob {
  readonly #context: Context;
  readonly #job: FleetJob;
  readonly #run: Run;
  readonly #parts: JobParts;
  readonly #since = performance.now();
  /** What to do with the job, if it is not run here to its end. */
  #back: HandedBack | undefined;
  #isStopping = false;
  /** Once it is in the store. */
  task: JobTask | undefined;

  constructor(context: Context, { job, run, parts }: { job: FleetJob; run: Run; parts: JobParts }) {
    this.#context = context;
    this.#job = job;
    this.#run = run;
    this.#parts = parts;
  }

  /** `input`: of a batch of this one task. */
  async begin(input: RawOptions): Promise<Checked<JobTask>> {
    const { batches, keeper } = this.#parts;
    const begun = await batches.begin(input, {
      keeper,
      keepsSpending: this.#keepsSpending,
      changed: () => this.#look(),
    });
    if (begun.ok) this.task = begun.value;
    return begun;
  }

  async toItsEnd(task: JobTask): Promise<RunEnd> {
    const { signal } = this.#run;
    const stop = () => this.#stop();
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    // While it waits for something, nothing changes.
    using _looks = clock.on("second", () => this.#look());
    try {
      await task.ended;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    const end = await this.#end(task);
    return { ...end, tidy: () => this.#tidy(task) };
  }

  // Where the batch of the task is in this store too, that one knows what it cost.
  get #keepsSpending(): boolean {
    const asker = batchIdSchema.safeParse(this.#job.batchId).data;
    return asker === undefined || this.#context.store.row(asker) === undefined;
  }

  #look(): void {
    const { task } = this;
    if (!task) return;
    const activity = task.activity() ?? task.held()?.because;
    if (activity !== undefined) this.#run.report(activity);
    if (task.state.status === "done") return;
    const { aborted } = this.#run.signal;
    if (!aborted) this.#back ??= this.#whyBack(task);
    // What could not be stopped is tried again.
    if (aborted || this.#back) queueMicrotask(() => this.#stop());
  }

  // Here, an error would end the worker with everything that it runs.
  #stop(): void {
    if (this.#isStopping) return;
    try {
      this.task?.stop();
      this.#isStopping = true;
    } catch (error) {
      this.#run.report(`It cannot be stopped yet: ${messageOf(error)}`);
    }
  }

  // What waits here for long may run elsewhere, or later.
  #whyBack(task: JobTask): HandedBack | undefined {
    const { status, attempts } = task.state;
    if (status !== "queued") return undefined;
    const held = task.held();
    const last = attempts.at(-1)?.outcome;
    const mayBeHeld = held !== undefined || (last !== undefined && isOfAccount(last));
    const hold = mayBeHeld ? this.#hold(task) : undefined;
    if (hold) return hold;
    const waits = held !== undefined && attempts.length === 0;
    if (!waits || performance.now() - this.#since <= longestWaitMs) return undefined;
    // It would be the same for every other task: they are left to others.
    const isLong = (held.until ?? 0) - Date.now() > workerPauseMs;
    return handedBackBy(held.because, isLong ? workerPauseMs : machinePauseMs);
  }

  #hold({ batch, state, account }: JobTask): HandedBack | undefined {
    const { model } = optionsOf(batch, state.number);
    const now = Date.now();
    const holds = new Holds(this.#context.store.database, account).all();
    const [hold] = holds.filter((one) => concerns(one, model) && one.until > now);
    if (!hold) return undefined;
    const ms = Math.min(longestPauseMs, hold.until - now);
    if (hold.kind === "usage-limit")
      // Tasks of other models go on.
      return isOfSome(hold)
        ? { kind: "handed-back", afterMs: ms }
        : { kind: "handed-back", accountPauseMs: ms };
    return { kind: "handed-back", workerPause: { ms: Math.min(workerPauseMs, ms), because: hold.because } };
  }

  async #end(job: JobTask): Promise<RunEnd> {
    const task = job.state;
    if (task.status !== "done") return this.#back ?? { kind: "handed-back" };
    const { outcome } = task;
    const { reason } = this.#run.signal;
    const usage = task.usage ? { usage: task.usage } : {};
    // Paid for, and what was wanted.
    if (outcome.kind !== "succeeded") {
      if (reason === "stopped")
        return { kind: "result", result: { kind: "stopped", worker: this.#parts.worker, ...usage } };
      const back =
        reason === undefined
          ? (this.#back ?? (isOfAccount(outcome) ? this.#hold(job) : undefined) ?? ofAccess(outcome))
          : { kind: "handed-back" as const };
      if (back) return { ...back, ...usage };
    }
    return { kind: "result", result: await this.#result(task) };
  }

  async #result(task: DoneTask): Promise<JobResult> {
    const { outcome, attempts, usage, model, remarks, checks } = task;
    const last = attempts.at(-1);
    const { sessionId, offset, transcriptEnd } = last ?? {};
    return {
      kind: "ended",
      worker: this.#parts.worker,
      outcome,
      attempts: attempts.length,
      ...(usage ? { usage } : {}),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(model === undefined ? {} : { model }),
      ...(remarks ? { remarks } : {}),
      ...(checks ? { checks } : {}),
      ...(offset === undefined ? {} : { offset }),
      ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
      ...(last ? await this.#texts(last) : {}),
    };
  }

  async #texts({ transcript }: Attempt): Promise<{ transcript?: Carried; stderr?: Carried }> {
    const [output, stderr] = await Promise.all([
      this.#carried(transcript, "transcript"),
      this.#carried(stderrBeside(transcript), "stderr"),
    ]);
    return { ...(output ? { transcript: output } : {}), ...(stderr ? { stderr } : {}) };
  }

  // A file of the session; undefined if it is empty, or not there.
  async #carried(path: string, what: string): Promise<Carried | undefined> {
    const file = Bun.file(path);
    const { size } = file;
    if (size === 0) return undefined;
    if (size <= longestPackedBytes) {
      const zstd = Bun.zstdCompressSync(await file.bytes()).toBase64();
      // Both of them, and the result, must fit.
      if (zstd.length <= longestInlineBytes / 4) return { in: "result", zstd };
    }
    const name = `${this.#run.blobs}/${what}`;
    return {
      in: "blobs",
      ref: await untilStored(this.#run, () => this.#parts.blobs.put(name, { file: path })),
    };
  }

  async #tidy(task: JobTask): Promise<void> {
    try {
      task.tidy();
    } catch (error) {
      // `prune` removes it later.
      console.error(`${new Date().toISOString()} What a task has left could not be removed:`, error);
    }
  }
}

// The task itself, or the batch that it shares with others.
function isOfAccount(outcome: AttemptOutcome): boolean {
  if (outcome.kind === "cancelled") return outcome.by === "hold";
  return outcome.kind === "failed" && ["usage-limit", "auth", "billing"].includes(outcome.reason);
}

// The account's fault, or this machine's, and not the task's.
function ofAccess(outcome: AttemptOutcome): HandedBack | undefined {
  if (outcome.kind === "cancelled" && outcome.by === "hold")
    return { kind: "handed-back", accountPauseMs: usualPauseMs };
  if (outcome.kind !== "failed") return undefined;
  if (outcome.reason === "usage-limit") {
    const ms = (outcome.resetsAt ?? 0) - Date.now();
    return { kind: "handed-back", accountPauseMs: Math.min(longestPauseMs, ms > 0 ? ms : usualPauseMs) };
  }
  return outcome.reason === "auth" || outcome.reason === "billing"
    ? { kind: "handed-back", workerPause: { ms: workerPauseMs, because: outcomeText(outcome) } }
    : undefined;
}
