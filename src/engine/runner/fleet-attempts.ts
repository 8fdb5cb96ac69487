// Attempts that a fleet runs: their start in the log, then their jobs, and their ends like those of attempts here.
import { BlobError, blobStoreOf } from "../../fleet/blobs.ts";
import { type Carried, type FleetJob, type JobResult, jobIdOf, jobVersion } from "../../fleet/job.ts";
import { readFleet } from "../../fleet/settings.ts";
import type { JobEnd } from "../../fleet/submitter-queue.ts";
import type { Work } from "../../fleet/work.ts";
import type { Event } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome } from "../../model/outcome.ts";
import { waitOf } from "../../model/prerequisites.ts";
import { fleetJobOf, fleetSession } from "../../model/session-ref.ts";
import { type Attempt, taskOf } from "../../model/state.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { usageOfAll } from "../../model/usage-sum.ts";
import { clock } from "../../platform/clock.ts";
import { messageOf } from "../../platform/system-error.ts";
import { replaceFile } from "../../platform/whole-files.ts";
import { type Layout, stderrBeside } from "../../store/layout.ts";
import { cancelQueued, type EndKnown } from "../attempt/attempt-events.ts";
import type { Running } from "../attempt/running.ts";
import { newStartName } from "../attempt/session-name.ts";
import type { Admitted } from "../scheduler/admission.ts";
import { budgetVerdict } from "../scheduler/budget.ts";
import type { Attempts } from "./attempts.ts";
import type { FleetLink } from "./fleet-link.ts";
import { delayAfter } from "./retry-times.ts";
import type { RunnerLog } from "./runner-log.ts";

/** How often a transcript is asked for that cannot be read now, once in five seconds. */
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

  constructor(parts: FleetAttemptsParts) {
    this.#parts = parts;
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
    const options = optionsOf(log.state.batch, number);
    const events = await log.commit((state) => {
      const { status, attempts } = taskOf(state, number);
      const isMeant =
        status === "queued" && attempts.length + 1 === attempt && waitOf(state, number).kind === "free";
      if (!isMeant) return [];
      if (budgetVerdict(state) === "spent") return cancelQueued(state, "budget");
      return [
        {
          type: "attempt-started",
          task: number,
          attempt,
          identity: fleetSession(link.name, job),
          // Known at the end.
          sessionId: "",
          startName,
          transcript: layout.transcript(batchId, startName),
          workingDirectory: workingDirectoryOf(state.batch, options),
        },
      ];
    });
    admitted.ready();
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
    const job = this.#jobOf(number, last);
    const running = new RunningJob(link, jobIdOf(job), this.#parts.failed);
    using _running = attempts.add(running, number);
    attempts.endCancelled();
    const queue = await link.queue();
    const end = await queue.run(job, { isAgain, progressed: (progress) => running.progressed(progress) });
    await this.#conclude(number, last, end, running);
  }

  #jobOf(number: number, { number: attempt, workingDirectory }: Attempt): Omit<FleetJob, "signature"> {
    const { batchId, state } = this.#parts.log;
    const { batch } = state;
    const options = optionsOf(batch, number);
    return {
      v: jobVersion,
      batchId,
      number,
      attempt,
      spec: specOf(batch.tasks[number - 1]?.prompt ?? "", options),
      work: workIn(workingDirectory ?? workingDirectoryOf(batch, options)),
      ...(options.maxBudgetUsd === undefined ? {} : { budgetUsd: options.maxBudgetUsd }),
    };
  }

  async #conclude(
    number: number,
    { number: attempt, transcript }: Attempt,
    end: JobEnd,
    running: RunningJob,
  ) {
    const { log, attempts } = this.#parts;
    const known = await this.#known(number, transcript, end, running);
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

  async #known(number: number, transcript: string, end: JobEnd, running: RunningJob): Promise<EndKnown> {
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
    return { ...facts, ...(await this.#ended(transcript, result)) };
  }

  #cancelled(number: number): AttemptOutcome {
    const task = taskOf(this.#parts.log.state, number);
    return { kind: "cancelled", by: (task.status === "running" ? task.cancelling : undefined) ?? "user" };
  }

  async #ended(transcript: string, result: Extract<JobResult, { kind: "ended" }>): Promise<EndKnown> {
    const { outcome, sessionId, model, remarks = [], checks, transcriptEnd } = result;
    const lost = await this.#fetch(transcript, result);
    const repeated =
      result.attempts > 1 ? [`The worker made ${result.attempts} attempts at it; the last one counts.`] : [];
    const said = {
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(model === undefined ? {} : { model }),
      ...(checks ? { checks } : {}),
      ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
      remarks: [...remarks, ...repeated],
    };
    if (lost === undefined) return { ...said, outcome };
    return { ...said, outcome: { kind: "crashed", stderrTail: `Its answer cannot be read: ${lost}` } };
  }

  // Puts what its session wrote where the log says. Returns why that cannot be read.
  async #fetch(
    transcript: string,
    result: Extract<JobResult, { kind: "ended" }>,
  ): Promise<string | undefined> {
    for (let reads = 1; ; reads++) {
      try {
        await this.#place(result.transcript, transcript);
        await this.#place(result.stderr, stderrBeside(transcript));
        return undefined;
      } catch (error) {
        if (!(error instanceof BlobError) || reads >= mostReads) return messageOf(error);
        await clock.next("rest");
      }
    }
  }

  async #place(carried: Carried | undefined, path: string): Promise<void> {
    if (!carried) return;
    if (carried.in === "result")
      return await replaceFile(
        path,
        new Uint8Array(Bun.zstdDecompressSync(Uint8Array.fromBase64(carried.zstd))),
      );
    const { batch } = this.#parts.log.state;
    const read = batch.fleet && readFleet(batch.fleet.name, batch.fleet.settings);
    if (!read?.ok) throw new BlobError("The files of the fleet cannot be read.");
    await blobStoreOf(read.fleet).getTo(carried.ref, path);
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

// A task as `run-task` takes it.
function specOf(task: string, options: SessionOptions): Record<string, unknown> {
  const kept = Object.entries(options).filter(
    ([name, value]) => value !== undefined && !ofThisMachine.some((one) => one === name),
  );
  return { task, ...Object.fromEntries(kept) };
}

function workIn(path: string): Work {
  return { kind: "shared", path };
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
