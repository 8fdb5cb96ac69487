// Attempts that a fleet runs: their start in the log, then their jobs, and their ends like those of attempts here.
import { BlobError } from "../../fleet/blobs.ts";
import { type Carried, type JobResult, jobIdOf, jobVersion } from "../../fleet/job.ts";
import type { JobEnd, UnsignedJob } from "../../fleet/submitter-queue.ts";
import { takeChanges } from "../../fleet/take-changes.ts";
import { branchRemark } from "../../git/take-branch.ts";
import { branchOf } from "../../model/branch-name.ts";
import type { Event } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome } from "../../model/outcome.ts";
import { waitOf } from "../../model/prerequisites.ts";
import { isPausedFor } from "../../model/sample.ts";
import { fleetJobOf } from "../../model/session-ref.ts";
import { type Attempt, taskOf } from "../../model/state.ts";
import { directoryOf, optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { usageOfAll } from "../../model/usage-sum.ts";
import { clock } from "../../platform/clock.ts";
import { writePrivately } from "../../platform/files.ts";
import { messageOf } from "../../platform/system-error.ts";
import { countText } from "../../report/amounts.ts";
import { type Layout, stderrBeside } from "../../store/layout.ts";
import { cancelQueued, type EndKnown } from "../attempt/attempt-events.ts";
import { answerIn, isMatch } from "../attempt/check-answer.ts";
import type { Running } from "../attempt/running.ts";
import { newStartName } from "../attempt/session-name.ts";
import type { Admitted } from "../scheduler/admission.ts";
import { budgetVerdict } from "../scheduler/budget.ts";
import type { Attempts } from "./attempts.ts";
import type { FleetLink } from "./fleet-link.ts";
import { delayAfter } from "./retry-times.ts";
import type { RunnerLog } from "./runner-log.ts";
import { SentWork } from "./sent-work.ts";

/** How often what a worker has stored is asked for while it cannot be read, once in five seconds. */
const mostReads = 24;

export interface FleetAttemptsParts {
  log: RunnerLog;
  layout: Layout;
  attempts: Attempts;
  link: FleetLink;
  failed(error: unknown): void;
}

export class FleetAttempts {
  readonly #parts: FleetAttemptsParts;
  readonly #work: SentWork;

  constructor(parts: FleetAttemptsParts) {
    this.#parts = parts;
    this.#work = new SentWork(parts.log.batchId, parts.link);
  }

  /** Call when nothing more will start or end. */
  finish(): Promise<void> {
    const { batch, tasks } = this.#parts.log.state;
    const directories = tasks.flatMap(({ number, attempts }) => [
      workingDirectoryOf(batch, optionsOf(batch, number)),
      // A retry may have named another one since.
      ...attempts.flatMap((one) => one.workingDirectory ?? []),
    ]);
    return this.#work.release(new Set(directories));
  }

  /** Whether a fleet runs this task. What reads the answers of others runs where they are. */
  runs(number: number): boolean {
    return this.#parts.log.state.batch.tasks[number - 1]?.summary === undefined;
  }

  /** Resolves when the attempt has ended, or did not start. Throws `Replaced` if another runner has the batch. */
  async start(number: number, admitted: Admitted): Promise<void> {
    const { log, layout, link } = this.#parts;
    const { batchId } = log;
    const attempt = taskOf(log.state, number).attempts.length + 1;
    const job = jobIdOf({ batchId, number, attempt });
    const startName = newStartName();
    const directoryNow = () => workingDirectoryOf(log.state.batch, optionsOf(log.state.batch, number));
    const directory = directoryNow();
    const isMeant = () => {
      const { status, attempts } = taskOf(log.state, number);
      return (
        status === "queued" &&
        !isPausedFor(log.state, number) &&
        attempts.length + 1 === attempt &&
        directory === directoryNow()
      );
    };
    const packed = await link.untilSent(() => this.#work.of(directory), isMeant);
    if (!packed) return;
    if (!packed.ok) {
      const outcome = { kind: "not-started" as const, message: `${directory} ${packed.says}.` };
      return await this.#parts.attempts.conclude(number, 0, { outcome }, { isMeant });
    }
    const events = await log.commit((state) => {
      if (!isMeant() || waitOf(state, number).kind !== "free") return [];
      if (budgetVerdict(state) === "spent") return cancelQueued(state, "budget");
      return [
        {
          type: "attempt-started",
          task: number,
          attempt,
          identity: { fleet: link.name, job },
          // Known at the end.
          sessionId: "",
          startName,
          transcript: layout.transcript(batchId, startName),
          workingDirectory: directory,
        },
      ];
    });
    admitted.begun();
    if (events.some(isStart)) await this.#toItsEnd(number, { isAgain: false });
  }

  /** Goes on with an attempt that an earlier runner started. */
  async adopt(number: number): Promise<void> {
    await this.#toItsEnd(number, { isAgain: true });
  }

  /** Whether the running attempt of a task is one of the fleet's. */
  has(number: number): boolean {
    return fleetJobOf(taskOf(this.#parts.log.state, number).attempts.at(-1)?.identity) !== undefined;
  }

  async #toItsEnd(number: number, { isAgain }: { isAgain: boolean }): Promise<void> {
    const { log, attempts, link } = this.#parts;
    const last = taskOf(log.state, number).attempts.at(-1);
    if (!last) throw new Error(`Internal error: task ${number} runs without an attempt`);
    const id = jobIdOf({ batchId: log.batchId, number, attempt: last.number });
    const running = new RunningJob(link, id, this.#parts.failed);
    using _running = attempts.add(running, number);
    attempts.endCancelled();
    const queue = await link.queue();
    const end = await queue.run(id, () => this.#jobOf(number, last), {
      isAgain,
      progressed: (progress) => running.progressed(progress),
    });
    await this.#conclude(number, last, end, running);
    queue.forget(id);
  }

  async #jobOf(number: number, attempt: Attempt): Promise<UnsignedJob> {
    const { batchId, state } = this.#parts.log;
    const { batch } = state;
    const options = optionsOf(batch, number);
    const directory = directoryOf(batch, number, attempt);
    const packed = await this.#parts.link.untilSent(
      () => this.#work.of(directory),
      () => !this.#isCancelled(number),
    );
    if (!packed) throw new Error(`${directory} was not sent, because the task was cancelled.`);
    if (!packed.ok) throw new Error(`${directory} ${packed.says}.`);
    return {
      v: jobVersion,
      batchId,
      number,
      attempt: attempt.number,
      spec: await specOf(batch.tasks[number - 1]?.prompt ?? "", options),
      work: packed.work,
      ...(options.maxBudgetUsd === undefined ? {} : { budgetUsd: options.maxBudgetUsd }),
    };
  }

  async #conclude(number: number, of: Attempt, end: JobEnd, running: RunningJob): Promise<void> {
    const { log, attempts } = this.#parts;
    const { number: attempt } = of;
    const known = await this.#known(number, of, end, running);
    const options = optionsOf(log.state.batch, number);
    // A worker repeats what a second try can fix. What was lost with its workers is tried again here.
    const delayMs =
      end.kind === "failed"
        ? delayAfter(log.state, { number, attempt, options, adopted: true, resumes: false }, known, {
            held: false,
          })
        : undefined;
    await attempts.conclude(number, attempt, known, { delayMs });
  }

  async #known(number: number, of: Attempt, end: JobEnd, running: RunningJob): Promise<EndKnown> {
    const { result } = end.kind === "result" ? end : { result: undefined };
    const used = result && "usage" in result && result.usage ? [result.usage] : [];
    const usage = usageOfAll([...end.spent, ...used]);
    const worker = (result?.worker ?? "") || running.worker;
    const facts = { ...(usage ? { usage } : {}), ...(worker ? { worker } : {}) };
    if (!result || end.kind === "failed") {
      const stderrTail = end.kind === "failed" ? `The fleet could not run it: ${end.message}` : "";
      return { ...facts, outcome: { kind: "crashed", stderrTail } };
    }
    if (result.kind === "refused")
      return {
        ...facts,
        outcome: {
          kind: "not-started",
          message: `The worker ${result.worker} refused it: ${result.message}`,
        },
      };
    if (result.kind === "stopped") return { ...facts, outcome: this.#cancelled(number) };
    return { ...facts, ...(await this.#ended(number, of, { result, running })) };
  }

  #isCancelled(number: number): boolean {
    const task = taskOf(this.#parts.log.state, number);
    return task.status !== "running" || task.cancelling !== undefined;
  }

  #cancelled(number: number): AttemptOutcome {
    const task = taskOf(this.#parts.log.state, number);
    return { kind: "cancelled", by: (task.status === "running" ? task.cancelling : undefined) ?? "user" };
  }

  async #ended(
    number: number,
    of: Attempt,
    { result, running }: { result: Ended; running: RunningJob },
  ): Promise<EndKnown> {
    const { outcome, sessionId, model, remarks = [], checks, transcriptEnd } = result;
    const taken: string[] = [];
    const take = async () => {
      await this.#place(result.transcript, of.transcript);
      await this.#place(result.stderr, stderrBeside(of.transcript));
      taken.splice(0, taken.length, ...(await this.#take(number, of, result)));
      return true;
    };
    const lost = await patiently(async () => {
      // It has been paid for: only somebody who cancels it gives it up.
      const isTaken = await this.#parts.link.untilStored(take, {
        isMeant: () => !this.#isCancelled(number),
        isOver: ({ isOfBlob }) => isOfBlob,
        waits: (because) => running.waits(because),
      });
      if (!isTaken) throw new Error("nobody waits for it any more");
    });
    const repeated =
      result.attempts > 1 ? [`The worker made ${result.attempts} attempts at it; the last one counts.`] : [];
    const said = {
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(model === undefined ? {} : { model }),
      ...(checks ? { checks } : {}),
      ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
      remarks: [...remarks, ...repeated, ...taken],
    };
    if (lost === undefined) return { ...said, outcome: this.#matched(outcome, of.transcript) };
    if (this.#isCancelled(number)) return { ...said, outcome: this.#cancelled(number) };
    return { ...said, outcome: { kind: "crashed", stderrTail: `Its answer cannot be read: ${lost}` } };
  }

  // Whether it counts for `stopWhen` is this batch's to say.
  #matched(outcome: AttemptOutcome, transcript: string): AttemptOutcome {
    const where = this.#parts.log.state.batch.stopWhen?.where;
    if (outcome.kind !== "succeeded" || !where) return outcome;
    return { ...outcome, matched: isMatch(where, answerIn(transcript, outcome)) };
  }

  // What its session wrote goes where the log says.
  async #place(carried: Carried | undefined, path: string): Promise<void> {
    if (!carried) return;
    if (carried.in === "blobs") return await this.#parts.link.blobs().getTo(carried.ref, path);
    // Nobody reads it before the end of the attempt is in the log, and until then it is written again.
    writePrivately(path, Bun.zstdDecompressSync(Uint8Array.fromBase64(carried.zstd)));
  }

  // What it changed becomes a branch. Returns what to say of that.
  async #take(number: number, of: Attempt, { work }: Ended): Promise<string[]> {
    if (!work) return [];
    const { batch } = this.#parts.log.state;
    const branch = branchOf(batch, number);
    const directory = directoryOf(batch, number, of);
    const taken = await takeChanges(work, { directory, branch, blobs: this.#parts.link.blobs() });
    return [
      taken.ok
        ? branchRemark(work.files, taken.branch)
        : `It changed ${countText(work.files, "file")}. ${taken.because}`,
    ];
  }
}

type Ended = Extract<JobResult, { kind: "ended" }>;

// Tries for a while: another machine's blob may need some time to be seen here. Returns why it gave up.
async function patiently(act: () => Promise<void>): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      await act();
      return undefined;
    } catch (error) {
      if (!(error instanceof BlobError) || tries >= mostReads) return messageOf(error);
      await clock.next("rest");
    }
  }
}

function isStart({ type }: Event): boolean {
  return type === "attempt-started";
}

/** Options that mean nothing on another machine. */
const ofThisMachine: readonly (keyof SessionOptions)[] = [
  "workingDirectory",
  "env",
  "reuse",
  "reuseSessions",
  "inputs",
];

// A task as `run-task` takes it, without files of this machine.
async function specOf(task: string, options: SessionOptions): Promise<Record<string, unknown>> {
  const kept = Object.entries(options).filter(
    ([name, value]) => value !== undefined && !ofThisMachine.some((one) => one === name),
  );
  const { settings } = options;
  const isFile = typeof settings === "string" && !/^\s*\{/.test(settings);
  const read = isFile ? { settings: await settingsIn(settings) } : {};
  return { task, ...Object.fromEntries(kept), ...read };
}

async function settingsIn(path: string): Promise<unknown> {
  try {
    return await Bun.file(path).json();
  } catch (error) {
    throw new Error(`The settings in ${path} cannot be read: ${messageOf(error)}`);
  }
}

/** A job in the queue, or on a worker. */
class RunningJob implements Running {
  readonly #link: FleetLink;
  readonly #job: string;
  readonly #failed: (error: unknown) => void;
  #activity: string | undefined;
  #isCancelled = false;
  worker: string | undefined;

  constructor(link: FleetLink, job: string, failed: (error: unknown) => void) {
    this.#link = link;
    this.#job = job;
    this.#failed = failed;
  }

  get activity(): string {
    return this.worker === undefined
      ? `waits in the queue of ${this.#link.name}`
      : `on ${this.worker}: ${this.#activity ?? "starts"}`;
  }

  /** Its result is there, and cannot be taken yet. */
  waits(because: string): void {
    this.#activity = `has ended; its result cannot be read yet: ${because}`;
  }

  progressed({ worker, activity }: { worker: string; activity?: string | undefined }): void {
    this.worker = worker;
    this.#activity = activity;
  }

  end(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#cancel().catch(this.#failed);
  }

  async #cancel(): Promise<void> {
    const queue = await this.#link.queue();
    await queue.cancel(this.#job);
  }

  // The worker reads it, and has its clocks.
  readTranscript(): void {}
  checkClocks(): void {}
  // It uses no memory here.
  evict(): void {}
}
