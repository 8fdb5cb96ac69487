// A worker's side of the queue: takes jobs, has each run once, and stores what became of it.
import type { Job, Queue, QueueEvents, QueueEventsListener, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Usage } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { clock } from "../platform/clock.ts";
import { messageOf } from "../platform/system-error.ts";
import type { BlobRef } from "./blob-ref.ts";
import { connect, type RedisPlace, redisOptions, Troubles } from "./connection.ts";
import { type JobProgress, type JobResult, longestInlineBytes, type StoredResult } from "./job.ts";
import { Leases } from "./leases.ts";
import { type Claim, Ledger } from "./ledger.ts";
import { controlNameOf, type JobId, queueNameOf, workersKeyOf } from "./queue-names.ts";
import { sealed } from "./sealed.ts";
import type { FleetTiming } from "./timing.ts";
import { beatEveryMs, type WorkerBeat } from "./worker-beat.ts";

/** How often a job may be found without a living worker before the queue gives it up. */
const mostStalls = 3;
/** How often the progress of a job is reported at most, in milliseconds. */
const progressEveryMs = 1_000;
/** The shortest pause before a job is looked at again, in milliseconds. */
const shortestPauseMs = 250;

/** After so many different sentences about runs, they are said again. */
const mostSaid = 1_000;

/** Why a run must end. */
export type EndReason =
  /** Somebody cancelled it. */
  | "stopped"
  /** Another worker has it. */
  | "lost"
  /** This worker ends. */
  | "drained";

/** How a run ended. */
export type RunEnd =
  | { kind: "result"; result: JobResult; tidy?: () => Promise<void> }
  /** Nothing came of it, and another worker, or this one later, should run it. */
  | {
      kind: "handed-back";
      /** What it had used. */
      usage?: Usage;
      /** How long nobody should take it, in milliseconds. */
      afterMs?: number;
      /** How long no job of the account can be run, in milliseconds. */
      accountPauseMs?: number;
      /** How long this worker should take no jobs, in milliseconds, and why. */
      workerPause?: { ms: number; because: string };
      tidy?: () => Promise<void>;
    };

/** One run of a job, as the worker sees it. */
export interface Run {
  id: JobId;
  /** As the queue gives it. */
  data: unknown;
  /** How often it was begun, this time included. */
  starts: number;
  /** Aborted, with an `EndReason`, when the run must end. */
  signal: AbortSignal;
  /** Says what it is doing, for people. */
  report(activity: string): void;
}

export interface WorkerParts {
  place: RedisPlace;
  account?: string | undefined;
  /** For people; differs for each worker. */
  name: string;
  /** How many jobs it takes at once. */
  slots: number;
  timing: FleetTiming;
  run(run: Run): Promise<RunEnd>;
  /** The fleet's, which signs results. */
  key: string;
  /** Stores a result that is too long for the queue's server. */
  putAside(id: JobId, text: string): Promise<BlobRef>;
  /** Called with sentences for the operator. */
  say(text: string): void;
}

/** What submitters say to workers. */
export interface ControlEvents extends QueueEventsListener {
  cancel(about: { jobId: string }, eventId: string): void;
}

interface Running {
  runId: string;
  starts: number;
  controller: AbortController;
  activity?: string;
  /** Resolves when it has ended, and its result is stored. */
  ended: Promise<RunEnd>;
}

export class FleetWorker {
  readonly #parts: WorkerParts;
  readonly #redis: Redis;
  readonly #ledger: Ledger;
  readonly #leases: Leases;
  readonly #queue: Queue;
  readonly #control: QueueEvents;
  readonly #runs = new Map<JobId, Running>();
  readonly #ticks: Disposable[];
  readonly #saidOfRuns = new Set<string>();
  #worker: Worker | undefined;
  #resume: Timer | undefined;
  #held: string | undefined;
  #isDraining = false;

  private constructor(parts: WorkerParts, redis: Redis, queue: Queue, control: QueueEvents) {
    const { leaseMs, leaseRenewMs } = parts.timing;
    this.#parts = parts;
    this.#redis = redis;
    this.#queue = queue;
    this.#control = control;
    this.#ledger = new Ledger({ redis, leaseMs });
    this.#leases = new Leases({ ledger: this.#ledger, everyMs: leaseRenewMs });
    let beatAt = Number.NEGATIVE_INFINITY;
    this.#ticks = [
      clock.on("second", () => {
        if (performance.now() - beatAt < beatEveryMs) return;
        beatAt = performance.now();
        this.#beat();
      }),
    ];
  }

  /** Begins to take jobs. Waits for a server that cannot be reached; `say` hears why. */
  static async start(parts: WorkerParts): Promise<FleetWorker> {
    const { place, account, say, timing, slots, name } = parts;
    const { Queue, QueueEvents, Worker } = await import("bullmq");
    const troubles = new Troubles(place.url, say);
    const redis = await connect(place, troubles);
    const connection = { connection: redisOptions(place), skipVersionCheck: true };
    const queueName = queueNameOf(account);
    const queue = new Queue(queueName, connection);
    const control = new QueueEvents(controlNameOf(queueName), { ...connection, lastEventId: "$" });
    const self = new FleetWorker(parts, redis, queue, control);
    const heard = (error: unknown) => self.#heard(error, troubles);
    queue.on("error", heard);
    control.on("error", heard);
    control.on<ControlEvents, "cancel">("cancel", ({ jobId }) => self.#cancel(jobId));
    const { lockMs, lockRenewMs, stalledMs } = timing;
    // With three parameters, so that the job knows when the queue wants it to end.
    const worker = new Worker(queueName, (job, token, _signal) => self.#process(job, token), {
      ...connection,
      name,
      concurrency: slots,
      lockDuration: lockMs,
      lockRenewTime: lockRenewMs,
      stalledInterval: stalledMs,
      maxStalledCount: mostStalls,
      maximumRateLimitDelay: 5_000,
    });
    worker.on("error", heard);
    self.#worker = worker;
    self.#beat();
    return self;
  }

  /** How many jobs run. */
  get running(): number {
    return this.#runs.size;
  }

  /**
   * Takes no more jobs, waits until the running ones have ended, or hands them back after so many milliseconds, and ends.
   * What waits for something on this machine is handed back at once. Aborting the signal hands everything back.
   */
  async drain(forMs: number, signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    clearTimeout(this.#resume);
    await this.#worker?.pause(true);
    this.#beat();
    const handBack = () => {
      for (const { controller } of this.#runs.values()) controller.abort("drained" satisfies EndReason);
    };
    const timer = setTimeout(handBack, forMs);
    if (signal.aborted) handBack();
    signal.addEventListener("abort", handBack);
    // Waits for all jobs, and then leaves.
    await this.#worker?.close();
    clearTimeout(timer);
    signal.removeEventListener("abort", handBack);
    for (const each of this.#ticks) each[Symbol.dispose]();
    this.#leases[Symbol.dispose]();
    await bestEffort(this.#redis.hdel(workersKeyOf(this.#queue.name), this.#parts.name));
    await Promise.all([bestEffort(this.#control.close()), bestEffort(this.#queue.close())]);
    this.#redis.disconnect();
  }

  // That the queue takes a run for lost is no trouble of the connection. It is noticed again at each renewal.
  #heard(error: unknown, troubles: Troubles): void {
    const message = messageOf(error);
    const isAboutRun = /could not renew lock|Missing (?:key|lock)|Lock mismatch|not in the active state/i;
    if (!isAboutRun.test(message)) troubles.heard(error);
    else if (!this.#saidOfRuns.has(message)) {
      if (this.#saidOfRuns.size >= mostSaid) this.#saidOfRuns.clear();
      this.#saidOfRuns.add(message);
      this.#parts.say(`The queue takes a run for lost, and the ledger decides what counts: ${message}`);
    }
  }

  // Each delivery of a job. What it returns is not read: results are in the ledger.
  async #process(job: Job, token: string | undefined): Promise<string> {
    const id = job.id ?? "";
    const { DelayedError, RateLimitError, WaitingError } = await import("bullmq");
    const later = async (ms: number): Promise<never> => {
      await job.moveToDelayed(Date.now() + Math.max(shortestPauseMs, ms), token);
      throw new DelayedError();
    };
    const known = this.#runs.get(id);
    // A pause does not end a request that waits for a job already.
    if (!known && (this.#isDraining || this.#held !== undefined)) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (!known) {
      const runId = `${this.#parts.name}/${crypto.randomUUID()}`;
      const claim = await this.#ledger.claim(id, runId);
      if (claim.kind !== "run") {
        const pauseMs = await this.#without(id, runId, claim);
        return pauseMs === undefined ? "" : await later(pauseMs);
      }
      this.#begin(job, id, { runId, starts: claim.starts });
    }
    // After an outage, the queue may give us again what we run already: then both deliveries wait for that.
    const end = await this.#runs.get(id)?.ended;
    if (!end || end.kind === "result") return "";
    const { afterMs, accountPauseMs } = end;
    if (accountPauseMs !== undefined) {
      await this.#queue.rateLimit(Math.max(shortestPauseMs, Math.round(accountPauseMs)));
      throw new RateLimitError();
    }
    if (afterMs !== undefined) return await later(afterMs);
    await job.moveToWait(token);
    throw new WaitingError();
  }

  // What to do with a job that is not ours to run: to look again after so many milliseconds, or nothing more.
  async #without(
    id: JobId,
    runId: string,
    claim: Exclude<Claim, { kind: "run" }>,
  ): Promise<number | undefined> {
    if (claim.kind === "stopped") await this.#store(id, runId, { kind: "stopped", worker: this.#parts.name });
    return claim.kind === "held" || claim.kind === "grace" ? claim.forMs : undefined;
  }

  #begin(job: Job, id: JobId, run: { runId: string; starts: number }): void {
    const controller = new AbortController();
    const running: Running = { ...run, controller, ended: Promise.resolve({ kind: "handed-back" }) };
    this.#runs.set(id, running);
    running.ended = this.#run(job, id, running);
  }

  async #run(job: Job, id: JobId, running: Running): Promise<RunEnd> {
    const { controller, runId, starts } = running;
    const report = this.#reporter(job, running);
    const abort = (why: EndReason) => controller.abort(why);
    using _lease = this.#leases.hold({ id, runId, ended: abort });
    try {
      report(undefined);
      const end = await this.#parts.run({ id, data: job.data, starts, signal: controller.signal, report });
      if (controller.signal.reason === "lost") return await this.#afterLoss(id, runId, end);
      if (end.kind === "result") await this.#store(id, runId, end.result);
      else await this.#ledger.release(id, runId, this.#spent(id, end.usage));
      if (end.kind === "handed-back" && end.workerPause) void this.#pause(end.workerPause);
      await end.tidy?.();
      return end;
    } catch (error) {
      await this.#ledger.release(id, runId);
      throw error;
    } finally {
      this.#runs.delete(id);
    }
  }

  // Somebody else runs it, or has run it. What ours has used still counts.
  async #afterLoss(id: JobId, runId: string, end: RunEnd): Promise<RunEnd> {
    const usage =
      end.kind === "handed-back" ? end.usage : "usage" in end.result ? end.result.usage : undefined;
    // A run that has ended by itself in that moment counts, unless there is a result.
    const isWhole =
      end.kind === "result" && end.result.kind === "ended" && end.result.outcome.kind !== "cancelled";
    if (isWhole) await this.#store(id, runId, end.result);
    else await this.#ledger.release(id, runId, this.#spent(id, usage));
    await end.tidy?.();
    const { result } = await this.#ledger.ended(id);
    if (result !== undefined) return { ...end, kind: "result", result: { kind: "stopped", worker: "" } };
    return { kind: "handed-back", afterMs: this.#parts.timing.leaseMs };
  }

  async #store(id: JobId, runId: string, result: JobResult): Promise<void> {
    const text = JSON.stringify(result);
    const isShort = Buffer.byteLength(text) <= longestInlineBytes;
    const stored: StoredResult = isShort
      ? result
      : { kind: "blob", ref: await this.#parts.putAside(id, text) };
    await this.#ledger.finish(id, runId, sealed(id, stored, this.#parts.key));
  }

  #spent(id: JobId, usage: Usage | undefined): string | undefined {
    return usage && sealed(id, usage, this.#parts.key);
  }

  // Reports at once, and then the newest news at most once a second.
  #reporter(job: Job, running: Running): (activity: string | undefined) => void {
    let reportedAt = Number.NEGATIVE_INFINITY;
    let timer: Timer | undefined;
    const { name: worker } = this.#parts;
    const send = () => {
      timer = undefined;
      if (!this.#runs.has(job.id ?? "")) return;
      reportedAt = performance.now();
      const { activity } = running;
      const progress: JobProgress = { worker, ...(activity === undefined ? {} : { activity }) };
      // If it does not arrive, only a view is older for a while.
      job.updateProgress(progress).catch(() => undefined);
    };
    return (activity) => {
      if (activity !== undefined) running.activity = activity;
      if (timer !== undefined) return;
      const waitMs = reportedAt + progressEveryMs - performance.now();
      if (waitMs <= 0) send();
      else timer = setTimeout(send, waitMs);
    };
  }

  #cancel(id: JobId): void {
    this.#runs.get(id)?.controller.abort("stopped" satisfies EndReason);
  }

  // Others may have what this worker cannot run now.
  async #pause({ ms, because }: { ms: number; because: string }): Promise<void> {
    if (this.#isDraining) return;
    if (this.#held === undefined)
      this.#parts.say(`Takes no tasks for ${Math.round(ms / 1000)} s: ${because}`);
    this.#held = because;
    clearTimeout(this.#resume);
    this.#resume = setTimeout(() => {
      this.#held = undefined;
      if (!this.#isDraining) void this.#worker?.resume();
      this.#beat();
    }, ms);
    this.#beat();
    await this.#worker?.pause(true);
  }

  #beat(): void {
    const { name, slots } = this.#parts;
    const beat: WorkerBeat = {
      name,
      version: product.version,
      slots,
      running: [...this.#runs].map(([id, { activity }]) => ({ id, ...(activity ? { activity } : {}) })),
      ...(this.#held === undefined ? {} : { held: this.#held }),
      ...(this.#isDraining ? { isDraining: true } : {}),
      at: Date.now(),
    };
    // During an outage, only one would wait for its end.
    if (this.#redis.status !== "ready") return;
    void bestEffort(this.#redis.hset(workersKeyOf(this.#queue.name), name, JSON.stringify(beat)));
  }
}

// What fails here only makes a view older, or is about to end anyway.
async function bestEffort(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch {
    // The connection says what is wrong.
  }
}
