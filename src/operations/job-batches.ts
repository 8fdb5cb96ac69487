// The batches in which a worker of a fleet runs jobs. Those that run at the same time, with the same settings, share one: a batch
// of its own, with its runner, costs several times what a short session does.
import { killSessions } from "../engine/attempt/kill-sessions.ts";
import type { Batch, Task } from "../model/event.ts";
import { TurnPerKey } from "../model/once.ts";
import { type TaskState, taskOf } from "../model/state.ts";
import type { WaitReason } from "../model/wait-reason.ts";
import { byItself } from "../platform/clock.ts";
import { compileSooner } from "../platform/compiler.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { removePath } from "../platform/removal.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stderrBeside } from "../store/layout.ts";
import { patiently } from "../store/patiently.ts";
import type { Context } from "./context.ts";
import type { Checked } from "./faults.ts";
import { follow } from "./follow.ts";
import { type PlannedBatch, planBatch } from "./plan.ts";
import { type RawOptions, rawObject } from "./raw-options.ts";
import { create } from "./spawn.ts";

/** A batch takes no more jobs than this: each one looks at all tasks, and the log of a batch goes when its last task has. */
const mostJobs = 200;

/** A job as one task of such a batch. */
export interface JobTask {
  readonly state: TaskState;
  readonly batch: Batch;
  /** The hash of the account that pays for it. */
  readonly account: string;
  /** Resolves when it has ended, and all that its sessions had started has gone. Rejects if nobody runs it any more. */
  readonly ended: Promise<void>;
  /** What its session is doing. */
  activity(): string | undefined;
  /** Why the batch starts no sessions at present. */
  held(): WaitReason | undefined;
  /** Has it end properly. Throws while the store cannot be written. */
  stop(): void;
  /** Its result is stored elsewhere, and nobody here looks for it: removes what it has left. */
  tidy(): void;
}

/** Of a job's batch: it runs here, in this process, whatever the configuration says of this machine's own batches. */
export const runsHere = { asyncMode: false, fleet: "", hosts: [] };

/** After this number of jobs, compiling what each of them takes saves more processor time than it costs. */
const manyJobs = 500;

/** How long a plan counts for jobs that differ in their prompts alone, in milliseconds. */
const plannedMs = 1_000;

interface Plan {
  planned: PlannedBatch;
  /** On the monotonic clock, in milliseconds. */
  at: number;
}

interface Wanted {
  /** The process that ends what is left of the batch if this one is killed. */
  keeper: ProcessIdentity | undefined;
  /** Whether this store keeps what it has cost once it is removed. */
  keepsSpending: boolean;
  /** Called when something about it may have changed. */
  changed(): void;
}

export class JobBatches {
  readonly #context: Context;
  /** Those that take more jobs, by what their jobs have in common. */
  readonly #open = new Map<string, JobBatch>();
  /** By everything of their jobs but the prompts. */
  readonly #plans = new Map<string, Plan>();
  readonly #turns = new TurnPerKey();
  #begun = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins to run a job. `input`: of a batch of this one task, which has a valid prompt. */
  async begin(input: RawOptions, wanted: Wanted): Promise<Checked<JobTask>> {
    if (++this.#begun === manyJobs) compileSooner("usual");
    const { key, prompt } = apart(input);
    const recent = this.#plans.get(key);
    if (recent && performance.now() - recent.at < plannedMs) {
      const joined = await this.#join(withPrompt(recent.planned, prompt), wanted);
      if (joined) return { ok: true, value: joined };
    }
    const plan = await planBatch(this.#context, "run", { ...input, ...runsHere });
    if (!plan.ok) return plan;
    this.#note(key, plan.value);
    return { ok: true, value: await this.#beginPlanned(plan.value, wanted) };
  }

  // Those that begin at once wait for the first one's batch, instead of making one each.
  async #beginPlanned(planned: PlannedBatch, wanted: Wanted): Promise<JobTask> {
    if (!mayShare(planned)) return (await JobBatch.create(this.#context, planned, wanted)).first(wanted);
    const key = commonKey(planned, wanted);
    return await this.#turns.next(key, async () => {
      const joined = await this.#join(planned, wanted);
      if (joined) {
        planned.keepVersion();
        return joined;
      }
      const batch = await JobBatch.create(this.#context, planned, wanted);
      this.#open.set(key, batch);
      // It has the prompts of all its tasks.
      void batch.over.then(() => {
        if (this.#open.get(key) === batch) this.#open.delete(key);
      });
      return batch.first(wanted);
    });
  }

  // In a batch that runs; undefined if none takes it.
  async #join(planned: PlannedBatch, wanted: Wanted): Promise<JobTask | undefined> {
    if (!mayShare(planned)) return undefined;
    const key = commonKey(planned, wanted);
    for (let open = this.#open.get(key); open; open = this.#open.get(key)) {
      const task = await open.add(planned, wanted);
      if (task) return task;
      if (this.#open.get(key) === open) this.#open.delete(key);
    }
    return undefined;
  }

  #note(key: string, planned: PlannedBatch): void {
    const now = performance.now();
    for (const [known, { at }] of this.#plans) if (now - at >= plannedMs) this.#plans.delete(known);
    this.#plans.set(key, { planned, at: now });
  }
}

function apart({ tasks, ...common }: RawOptions): { key: string; prompt: string } {
  const [task] = Array.isArray(tasks) ? tasks : [];
  const { task: prompt, ...rest } = rawObject(task);
  return { key: JSON.stringify([common, rest]), prompt: String(prompt) };
}

function withPrompt({ batch, ...planned }: PlannedBatch, prompt: string): PlannedBatch {
  return { ...planned, batch: { ...batch, tasks: batch.tasks.map((task) => ({ ...task, prompt })) } };
}

// A budget, files and values are those of one batch.
function mayShare({ batch, files, answers, values }: PlannedBatch): boolean {
  const hasValues = [values.shared, values.tasks].some((one) => Object.keys(one).length > 0);
  return batch.budgetUsd === undefined && files.length === 0 && answers.length === 0 && !hasValues;
}

function commonKey({ batch }: PlannedBatch, { keepsSpending }: Wanted): string {
  const { batchId: _id, tasks: _tasks, outputDirectory: _output, ...common } = batch;
  return JSON.stringify([keepsSpending, common]);
}

class JobBatch {
  readonly #context: Context;
  readonly #log: BatchLog;
  readonly #keepsSpending: boolean;
  readonly #jobs = new Map<number, Job>();
  /** Wakes its runner, once that listens. */
  readonly #requests = new Set<() => void>();
  #activities: ReadonlyMap<number, string> = new Map();
  #held: WaitReason | undefined;
  /** The tasks that something may still be wanted of. */
  readonly #kept = new Set<number>();
  #isOver = false;
  /** Resolves when it takes no more jobs. */
  over: Promise<void> = Promise.resolve();

  private constructor(context: Context, log: BatchLog, keepsSpending: boolean) {
    this.#context = context;
    this.#log = log;
    this.#keepsSpending = keepsSpending;
  }

  static async create(
    context: Context,
    planned: PlannedBatch,
    { keeper, keepsSpending }: Wanted,
  ): Promise<JobBatch> {
    // It is no new batch of somebody here.
    const log = await create(context, planned, true, { isCounted: false });
    if (keeper) context.store.claimKeeper(log.batchId, keeper);
    const batch = new JobBatch(context, log, keepsSpending);
    batch.#kept.add(1);
    batch.over = batch.#run(planned);
    return batch;
  }

  /** Its first task. */
  first({ changed }: Wanted): JobTask {
    return this.#taskWith(1, changed);
  }

  /** Adds a task. Undefined if this batch takes none any more. */
  async add({ batch: { tasks } }: PlannedBatch, { changed }: Wanted): Promise<JobTask | undefined> {
    const [task] = tasks;
    if (!task || this.#isOver || this.#log.state.tasks.length >= mostJobs) return undefined;
    const number = await patiently(() => this.#added(task));
    return number === undefined ? undefined : this.#taskWith(number, changed);
  }

  // Without its key, which would have to be the only one of its kind here.
  #added({ key: _key, ...task }: Task): number | undefined {
    const events = this.#log.request(({ endedAt, cancelledBy }) =>
      endedAt === undefined && cancelledBy === undefined ? [{ type: "tasks-added", tasks: [task] }] : [],
    );
    if (events.length === 0) return undefined;
    const number = this.#log.state.tasks.length;
    this.#kept.add(number);
    this.#wake();
    return number;
  }

  #wake(): void {
    for (const listener of this.#requests) byItself(listener);
  }

  #taskWith(number: number, changed: () => void): JobTask {
    const job = new Job(changed);
    this.#jobs.set(number, job);
    if (this.#isOver) job.end();
    this.#look(number, job);
    const log = this.#log;
    return {
      get state() {
        return taskOf(log.state, number);
      },
      get batch() {
        return log.state.batch;
      },
      get account() {
        return log.state.account.hash;
      },
      ended: job.ended,
      activity: () => this.#activities.get(number),
      held: () => this.#held,
      stop: () => this.#stop(number),
      tidy: () => this.#tidy(number),
    };
  }

  async #run({ values }: PlannedBatch): Promise<void> {
    const { store } = this.#context;
    try {
      // Loaded here, so that no other command pays for it at its start.
      const { runBatch } = await import("../engine/runner/runner.ts");
      const ran = await runBatch(store, this.#log, {
        values,
        isAttended: false,
        isUnseen: true,
        requests: {
          subscribe: (listener) => {
            this.#requests.add(listener);
            return { [Symbol.dispose]: () => void this.#requests.delete(listener) };
          },
        },
        watching: (_, activities, held) => {
          this.#activities = activities;
          this.#held = held;
          for (const [number, job] of this.#jobs) this.#look(number, job);
        },
      });
      if (!ran) {
        const { signal } = new AbortController();
        await follow(store, this.#log, { until: Number.POSITIVE_INFINITY, signal });
      }
      this.#isOver = true;
      for (const job of this.#jobs.values()) job.end();
      this.#removeIfTidied();
    } catch (error) {
      this.#isOver = true;
      this.#abandon();
      for (const job of this.#jobs.values()) job.fail(error);
    }
  }

  #look(number: number, job: Job): void {
    const { status } = taskOf(this.#log.state, number);
    if (status === "done") {
      this.#jobs.delete(number);
      job.end();
    }
    job.changed();
  }

  // Nobody takes over the batch, because this process goes on.
  #abandon(): void {
    const end = () =>
      void this.#log.append(({ endedAt }) =>
        endedAt === undefined ? [{ type: "cancel-requested", by: "user" }] : [],
      );
    for (const act of [() => killSessions(this.#log.state), end]) {
      try {
        act();
      } catch (error) {
        console.error(`${new Date().toISOString()} A batch that failed could not be ended:`, error);
      }
    }
  }

  #stop(number: number): void {
    this.#log.request((state) =>
      taskOf(state, number).status === "done"
        ? []
        : [{ type: "cancel-requested", by: "user", tasks: [number] }],
    );
    this.#wake();
  }

  #tidy(number: number): void {
    for (const { transcript } of taskOf(this.#log.state, number).attempts)
      for (const path of [transcript, stderrBeside(transcript)]) removePath(path);
    this.#kept.delete(number);
    this.#removeIfTidied();
  }

  #removeIfTidied(): void {
    const { store } = this.#context;
    const { batchId } = this.#log;
    if (!this.#isOver || this.#kept.size > 0) return;
    if (store.forget(batchId, { keepsSpending: this.#keepsSpending }))
      removePath(store.layout.batchDirectory(batchId));
  }
}

/** One who waits for a task. */
class Job {
  readonly changed: () => void;
  readonly #ended = Promise.withResolvers<void>();

  constructor(changed: () => void) {
    this.changed = changed;
    // Nobody may be waiting yet.
    this.ended.catch(() => undefined);
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(): void {
    this.#ended.resolve();
  }

  fail(error: unknown): void {
    this.#ended.reject(error);
  }
}
