// A worker's side of the queue: takes jobs, has each run once, and stores what became of it.
import type { Job, Queue, QueueEvents, QueueEventsListener, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Usage } from "../model/outcome.ts";
import { product } from "../model/product.ts";
import { clock } from "../platform/clock.ts";
import { messageOf } from "../platform/system-error.ts";
import type { BlobRef } from "./blob-ref.ts";
import { connect, type RedisPlace, redisOptions, Troubles } from "./connection.ts";
import { type Drain, drainOf } from "./drains.ts";
import { type JobProgress, type JobResult, longestInlineBytes, type StoredResult } from "./job.ts";
import { Leases } from "./leases.ts";
import { type Claim, Ledger } from "./ledger.ts";
import { controlNameOf, type JobId, queueNameOf, workersKeyOf } from "./queue-names.ts";
import { sealed, spendingOf } from "./sealed.ts";
import type { FleetTiming } from "./timing.ts";
import { beatEveryMs, readBeat, type WorkerBeat } from "./worker-beat.ts";

/** How often a job may be found without a sign of life of its worker before the queue gives it up: the ledger decides before. */
const mostStalls = 1_000_000;
/** How many runs of a job may be lost with their workers before it is given up. */
const mostLost = 5;
/** How often a job may fail before its session begins, until it is given up; and on how many workers that must have been, if there are as many. */
const mostFailures = 5;
const fewestFailing = 3;
/** How long nobody takes a job that has failed so often, in milliseconds: others may be able to run it, once they are free. */
const afterFailuresMs = [2_000, 5_000, 30_000, 120_000, 600_000];
/** The same during an outage, which counts for no job, in milliseconds. */
const afterOutageMs = 30_000;
/** After this number of jobs in a row that failed on a worker, it takes none for a while: from the first to the longest pause, in milliseconds. */
const mostInRow = 3;
const firstRestMs = 60_000;
const longestRestMs = 600_000;
/** How long a job waits after trouble with the ledger, in milliseconds. */
const afterTroubleMs = 5_000;
/** How long a worker that ends waits for a server that is away, in milliseconds. */
const farewellMs = 5_000;
/**
 * The same for one that answers, once nothing runs: a connection of the driver that is closed between two tries to connect never says
 * that it has ended, and BullMQ waits for that.
 */
const longFarewellMs = 10_000;
/** The beat of a worker that has said nothing for so long is removed, in milliseconds. */
const forgottenMs = 3_600_000;
/** A worker that has spoken since may run a job that fails here, in milliseconds. */
const livingMs = 5 * 60_000;
/** How often the progress of a job is reported at most, and how soon first, in milliseconds: a job that ends before needs no report. */
const progressEveryMs = 1_000;
const firstProgressMs = 100;
/** The shortest pause before a job is looked at again, in milliseconds. */
const shortestPauseMs = 250;

const hourMs = 3_600_000;

/** After this number of different sentences about runs, they are said again. */
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
      /** Why it failed before its session began, as a sentence. */
      failure?: {
        because: string;
        /** Whether the same may fail for other jobs here. */
        isOfWorker: boolean;
        /** Whether it passes, and says nothing about the job: then it does not count. */
        isOutage?: boolean;
      };
      /** How long nobody should take it, in milliseconds. After a failure, it grows with their number. */
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
  /** Begins the names of its blobs: another run of the job must not replace what this one has stored. */
  blobs: string;
  /** As the queue gives it. */
  data: unknown;
  /** Whether it is given up if it fails again before its session begins. */
  isLast: boolean;
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
  /** Stores a result that is too long for the queue's server, as a blob of this name. */
  putAside(name: string, text: string): Promise<BlobRef>;
  /** Called with sentences for the operator. */
  say(text: string): void;
}

/** What submitters say to workers. */
export interface ControlEvents extends QueueEventsListener {
  cancel(about: { jobId: string }, eventId: string): void;
}

interface Running extends RunName {
  lost: number;
  failures: number;
  isLast: boolean;
  controller: AbortController;
  activity?: string;
  /** Resolves when it has ended, and its result is stored. */
  ended: Promise<RunEnd>;
}

/** What one run is called. */
interface RunName {
  /** In the ledger. */
  runId: string;
  /** In the blob store. */
  blobs: string;
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
  /** The name of its beats: two machines may have one name. */
  readonly #beatName: string;
  /** When it last spoke, on the monotonic clock. */
  #beatAt = Number.NEGATIVE_INFINITY;
  /** Whether other jobs run than it then said. */
  #hasChanged = false;
  /** Aborted when this worker waits for nothing more. */
  readonly #leaving = new AbortController();
  #worker: Worker | undefined;
  #resume: Timer | undefined;
  #held: string | undefined;
  /** The jobs that failed here before their sessions began, since one did not. */
  readonly #failedInRow = new Set<JobId>();
  /** How often this worker has rested because of that. */
  #rests = 0;
  /** When jobs ended here in the last hour, on the monotonic clock, in milliseconds. */
  #endedAt: number[] = [];
  #isDraining = false;
  /** That somebody has taken this worker out of service. */
  #drained: Drain | undefined;
  #handsBack: Timer | undefined;
  /** Whether it asks for that. */
  #isLooking = false;

  private constructor(parts: WorkerParts, redis: Redis, queue: Queue, control: QueueEvents) {
    const { leaseMs, leaseRenewMs } = parts.timing;
    this.#parts = parts;
    this.#beatName = `${parts.name}/${crypto.randomUUID()}`;
    this.#redis = redis;
    this.#queue = queue;
    this.#control = control;
    this.#ledger = new Ledger({ redis, leaseMs });
    this.#leases = new Leases({ ledger: this.#ledger, everyMs: leaseRenewMs });
    this.#ticks = [
      clock.on("second", () => {
        void this.#look();
        const isDue = performance.now() - this.#beatAt >= beatEveryMs;
        if (isDue || this.#hasChanged) this.#beat();
      }),
    ];
  }

  /** Begins to take jobs. Waits for a server that cannot be reached; `say` hears why. */
  static async start(parts: WorkerParts): Promise<FleetWorker> {
    const { place, account, say, timing, slots, name } = parts;
    const { Queue, QueueEvents, Worker } = await import("./bullmq.ts");
    const troubles = new Troubles(place.url, say);
    const redis = await connect(place, troubles, timing);
    const connection = { connection: redisOptions(place, timing), skipVersionCheck: true };
    const queueName = queueNameOf(account);
    // The submitter's settings of the queue stay.
    const queue = new Queue(queueName, { ...connection, skipMetasUpdate: true });
    const control = new QueueEvents(controlNameOf(queueName), { ...connection, lastEventId: "$" });
    const self = new FleetWorker(parts, redis, queue, control);
    // Before it takes the first job.
    await self.#look();
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
    if (self.#drained) void worker.pause(true);
    self.#beat();
    // Submitters wait for workers: they should see it at once, also after an outage.
    redis.on("ready", () => self.#beat());
    void bestEffort(removeOldBeats(redis, workersKeyOf(queueName)));
    return self;
  }

  /** How many jobs run. */
  get running(): number {
    return this.#runs.size;
  }

  /**
   * Takes no more jobs, waits until the running ones have ended, or hands them back after this time, in milliseconds, and ends.
   * What waits for something on this machine is handed back at once. Aborting the signal hands everything back. During an
   * outage of the server, ends without it, and returns false: the leases of what ran then run out.
   */
  async drain(forMs: number, signal: AbortSignal): Promise<boolean> {
    this.#isDraining = true;
    clearTimeout(this.#resume);
    clearTimeout(this.#handsBack);
    await this.#worker?.pause(true);
    this.#beat();
    const handBack = () => {
      this.#handBack();
      this.#leaving.abort();
    };
    const timer = setTimeout(handBack, forMs);
    if (signal.aborted) handBack();
    signal.addEventListener("abort", handBack);
    // Waits for all jobs, and then leaves.
    const isCutOff = await this.#orCutOff(this.#left());
    clearTimeout(timer);
    signal.removeEventListener("abort", handBack);
    for (const each of this.#ticks) each[Symbol.dispose]();
    this.#leases[Symbol.dispose]();
    if (isCutOff) {
      const minutes = Math.ceil((2 * this.#parts.timing.leaseMs) / 60_000);
      const left = `Other workers begin what ran here in about ${minutes} min.`;
      if (this.#redis.status !== "ready")
        this.#parts.say(`Ends without Redis, which cannot be reached. ${left}`);
      for (const one of [this.#worker, this.#control, this.#queue]) void bestEffort(one?.disconnect());
    }
    this.#redis.disconnect();
    return !isCutOff;
  }

  async #left(): Promise<void> {
    await this.#worker?.close();
    await bestEffort(this.#redis.hdel(workersKeyOf(this.#queue.name), this.#beatName));
    await Promise.all([bestEffort(this.#control.close()), bestEffort(this.#queue.close())]);
  }

  // Whether the end cannot be waited for, because the server is away, or was. What runs may go on until it is handed back.
  async #orCutOff(end: Promise<void>): Promise<boolean> {
    let isLeft = false;
    const left = end
      .then(() => false)
      .finally(() => {
        isLeft = true;
      });
    const cutOff = async (): Promise<boolean> => {
      let awaySince = performance.now();
      let emptySince = awaySince;
      while (!isLeft) {
        const now = performance.now();
        const isLast = this.#leaving.signal.aborted || this.#runs.size === 0;
        if (!isLast || this.#redis.status === "ready") awaySince = now;
        if (this.#runs.size > 0) emptySince = now;
        if (now - awaySince >= farewellMs || now - emptySince >= longFarewellMs) return true;
        await clock.next("second");
      }
      return false;
    };
    return await Promise.race([left, cutOff()]);
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
    const { DelayedError, RateLimitError, UnrecoverableError, WaitingError } = await import("./bullmq.ts");
    const later = async (ms: number): Promise<never> => {
      await job.moveToDelayed(Date.now() + Math.max(shortestPauseMs, ms), token);
      throw new DelayedError();
    };
    const known = this.#runs.get(id);
    // A pause does not end a request that waits for a job already.
    if (!known && !this.#isInService) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (!known) {
      const uuid = crypto.randomUUID();
      const name: RunName = { runId: `${this.#parts.name}/${uuid}`, blobs: `${id}/${uuid}` };
      const { runId } = name;
      const claim = await this.#claimed(id, runId);
      if (claim.kind !== "run") {
        const pauseMs = await this.#without(id, name, claim);
        return pauseMs === undefined ? "" : await later(pauseMs);
      }
      const { lost, failures, failedOn } = claim;
      // It may be what ends them.
      if (lost >= mostLost) {
        await this.#ledger.release(id, runId);
        throw new UnrecoverableError(`It was lost with its worker ${lost} times.`);
      }
      const isLast = failures + 1 >= mostFailures && (await this.#haveEnoughFailed(failedOn));
      this.#begin(job, id, { ...name, lost, failures, isLast });
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

  // A server that takes no data, for example, is no fault of the job.
  async #claimed(id: JobId, runId: string): Promise<Claim> {
    try {
      return await this.#ledger.claim(id, runId);
    } catch (error) {
      this.#parts.say(`Cannot begin ${id} now: ${messageOf(error)}`);
      return { kind: "held", forMs: afterTroubleMs };
    }
  }

  // What to do with a job that is not ours to run: to look again after a time in milliseconds, or nothing more.
  async #without(
    id: JobId,
    run: RunName,
    claim: Exclude<Claim, { kind: "run" }>,
  ): Promise<number | undefined> {
    if (claim.kind === "stopped") {
      const { name: worker, say } = this.#parts;
      try {
        await this.#store(id, { ...run, lost: 0 }, { kind: "stopped", worker }, { hasBegun: false });
      } catch (error) {
        say(`Cannot end ${id} now: ${messageOf(error)}`);
        return afterTroubleMs;
      }
    }
    return claim.kind === "held" || claim.kind === "grace" ? claim.forMs : undefined;
  }

  // Whether a job that fails here once more has failed on enough workers that no other one would run it.
  async #haveEnoughFailed(failedOn: readonly string[]): Promise<boolean> {
    const failing = new Set([...failedOn, this.#parts.name]).size;
    if (failing >= fewestFailing) return true;
    try {
      const texts = Object.values(await this.#redis.hgetall(workersKeyOf(this.#queue.name)));
      const now = Date.now();
      // Clocks may differ. One that lived a while ago may come back.
      const living = texts
        .flatMap((text) => readBeat(text) ?? [])
        .filter(({ at, isDraining }) => !isDraining && now - at < livingMs);
      return failing >= new Set(living.map(({ name }) => name)).size;
    } catch {
      // It is tried again, as if there were others.
      return false;
    }
  }

  #begin(job: Job, id: JobId, run: Omit<Running, "controller" | "activity" | "ended">): void {
    const controller = new AbortController();
    const running: Running = { ...run, controller, ended: Promise.resolve({ kind: "handed-back" }) };
    this.#runs.set(id, running);
    this.#hasChanged = true;
    running.ended = this.#run(job, id, running);
  }

  async #run(job: Job, id: JobId, running: Running): Promise<RunEnd> {
    const { controller, runId, blobs, isLast } = running;
    const { signal } = controller;
    const report = this.#reporter(job, running);
    const abort = (why: EndReason) => controller.abort(why);
    using _lease = this.#leases.hold({ id, runId, ended: abort });
    try {
      report(undefined);
      const end = await this.#parts.run({ id, blobs, data: job.data, isLast, signal, report });
      return await this.#settled(id, running, { end, report });
    } catch (error) {
      await bestEffort(this.#ledger.release(id, runId));
      throw error;
    } finally {
      this.#runs.delete(id);
      this.#hasChanged = true;
    }
  }

  // What was paid for is kept, however long that takes: until then the lease is ours. In the end, only this worker's own
  // store has it.
  async #settled(
    id: JobId,
    running: Running,
    { end: given, report }: { end: RunEnd; report(activity: string): void },
  ): Promise<RunEnd> {
    const { runId, controller, failures } = running;
    const end = withLongerPause(given, failures);
    for (let tries = 1; ; tries++) {
      // Nobody wants the result any more, and that it was stopped is easier to store.
      const isUnwanted = tries > 1 && controller.signal.reason === "stopped";
      const settled = await this.#settledNow(id, running, isUnwanted ? stoppedEnd(end) : end).catch(
        (error) => {
          const text = `The result cannot be stored yet: ${messageOf(error)}`;
          report(text);
          if (tries === 1) this.#parts.say(`${id} has ended. ${text}`);
          return undefined;
        },
      );
      if (settled) {
        this.#rest(id, end);
        if (settled.kind === "result") this.#endedAt = [...this.#endedInHour(), performance.now()];
        await end.tidy?.();
        return settled;
      }
      if (this.#leaving.signal.aborted) {
        await bestEffort(this.#ledger.release(id, runId, { spent: this.#spent(id, runId, usageOf(end)) }));
        return { kind: "handed-back" };
      }
      await Promise.race([clock.next("rest"), aborted(this.#leaving.signal)]);
    }
  }

  async #settledNow(id: JobId, running: Running, end: RunEnd): Promise<RunEnd> {
    if (running.controller.signal.reason === "lost") return await this.#afterLoss(id, running, end);
    if (end.kind === "result") await this.#store(id, running, end.result);
    else await this.#release(id, running.runId, end);
    return end;
  }

  #endedInHour(): number[] {
    const since = performance.now() - hourMs;
    return this.#endedAt.filter((at) => at > since);
  }

  // What fails for one job after another would fail for the next ones, too, which others may be able to run.
  #rest(id: JobId, end: RunEnd): void {
    const { failure, workerPause } = end.kind === "handed-back" ? end : {};
    if (workerPause) return void this.#pause(workerPause);
    if (!failure) {
      // A refusal says nothing about the machine.
      if (end.kind === "handed-back" || end.result.kind !== "ended") return;
      this.#failedInRow.clear();
      this.#rests = 0;
      return;
    }
    if (!failure.isOfWorker) return;
    this.#failedInRow.add(id);
    if (this.#failedInRow.size < mostInRow) return;
    this.#failedInRow.clear();
    const ms = Math.min(longestRestMs, firstRestMs * 2 ** this.#rests++);
    void this.#pause({
      ms,
      because: `The last ${mostInRow} tasks could not be begun here: ${failure.because}`,
    });
  }

  // Somebody else runs it, or has run it. What ours has used still counts.
  async #afterLoss(id: JobId, running: Running, end: RunEnd): Promise<RunEnd> {
    // A run that has ended by itself in that moment counts, unless there is a result.
    const isWhole =
      end.kind === "result" && end.result.kind === "ended" && end.result.outcome.kind !== "cancelled";
    if (isWhole) await this.#store(id, running, end.result);
    else await this.#release(id, running.runId, end);
    const { result } = await this.#ledger.ended(id);
    if (result !== undefined) return { kind: "result", result: { kind: "stopped", worker: "" } };
    return { kind: "handed-back", afterMs: this.#parts.timing.leaseMs };
  }

  async #release(id: JobId, runId: string, end: RunEnd): Promise<void> {
    const spent = this.#spent(id, runId, usageOf(end));
    const hasFailed = end.kind === "handed-back" && end.failure !== undefined && !end.failure.isOutage;
    await this.#ledger.release(id, runId, { spent, ...(hasFailed ? { failedOn: this.#parts.name } : {}) });
  }

  async #store(
    id: JobId,
    { runId, blobs, lost }: RunName & Pick<Running, "lost">,
    result: JobResult,
    { hasBegun = true } = {},
  ): Promise<void> {
    const own = "usage" in result ? result.usage : undefined;
    // What lost runs have cost, nobody knows.
    const counted =
      lost > 0 && own && result.kind !== "refused" ? { ...result, usage: { ...own, atLeast: true } } : result;
    const text = JSON.stringify(counted);
    const isShort = Buffer.byteLength(text) <= longestInlineBytes;
    const stored: StoredResult = isShort
      ? counted
      : { kind: "blob", ref: await this.#parts.putAside(`${blobs}/result`, text) };
    const ours = sealed(id, stored, this.#parts.key);
    const first = await this.#ledger.finish(id, runId, ours, { hasBegun });
    // Another run's result counts, and this one was paid for too.
    if (first !== ours && hasBegun)
      await this.#ledger.release(id, runId, { spent: this.#spent(id, runId, own) });
  }

  #spent(id: JobId, runId: string, usage: Usage | undefined): string | undefined {
    return usage && sealed(spendingOf(id, runId), usage, this.#parts.key);
  }

  // Reports that it runs, and then the newest news at most once a second.
  #reporter(job: Job, running: Running): (activity: string | undefined) => void {
    let reportedAt = performance.now() + firstProgressMs - progressEveryMs;
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

  get #isInService(): boolean {
    return !this.#isDraining && !this.#drained && this.#held === undefined;
  }

  #handBack(): void {
    for (const { controller } of this.#runs.values()) controller.abort("drained" satisfies EndReason);
  }

  // Whether somebody has taken it out of service, or back. What cannot be asked now is asked a second later.
  async #look(): Promise<void> {
    if (this.#isLooking || this.#redis.status !== "ready") return;
    this.#isLooking = true;
    try {
      this.#setDrained(await drainOf(this.#redis, this.#queue.name, this.#parts.name));
    } catch {
      // The connection says what is wrong.
    } finally {
      this.#isLooking = false;
    }
  }

  #setDrained(drain: Drain | undefined): void {
    if (this.#isDraining || drain?.id === this.#drained?.id) return;
    const { say } = this.#parts;
    this.#drained = drain;
    clearTimeout(this.#handsBack);
    if (drain) {
      const { handBackSeconds } = drain;
      const then =
        handBackSeconds === undefined
          ? "Running ones end by themselves."
          : `Running ones are handed back after ${handBackSeconds} s.`;
      say(`Takes no more tasks until \`fleet resume\`, because it was drained. ${then}`);
      if (handBackSeconds !== undefined)
        this.#handsBack = setTimeout(() => this.#handBack(), handBackSeconds * 1_000);
      void this.#worker?.pause(true);
    } else {
      say("Takes tasks again.");
      if (this.#isInService) void this.#worker?.resume();
    }
    this.#beat();
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
      if (this.#isInService) void this.#worker?.resume();
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
      ended: this.#endedInHour().length,
      ...(this.#held === undefined ? {} : { held: this.#held }),
      ...(this.#isDraining || this.#drained ? { isDraining: true } : {}),
      ...(this.#drained ? { isDrained: true } : {}),
      at: Date.now(),
    };
    // During an outage, only one would wait for its end.
    if (this.#redis.status !== "ready") return;
    this.#beatAt = performance.now();
    this.#hasChanged = false;
    void bestEffort(this.#redis.hset(workersKeyOf(this.#queue.name), this.#beatName, JSON.stringify(beat)));
  }
}

// What has failed often is tried ever more rarely.
function withLongerPause(end: RunEnd, failures: number): RunEnd {
  if (end.kind === "result" || !end.failure) return end;
  const ms = end.failure.isOutage
    ? afterOutageMs
    : (afterFailuresMs[Math.min(failures, afterFailuresMs.length - 1)] ?? 0);
  return { ...end, afterMs: Math.max(end.afterMs ?? 0, ms) };
}

function usageOf(end: RunEnd): Usage | undefined {
  if (end.kind === "handed-back") return end.usage;
  return "usage" in end.result ? end.result.usage : undefined;
}

// The same run, without what nobody wants any more.
function stoppedEnd(end: RunEnd): RunEnd {
  if (end.kind === "handed-back") return end;
  const usage = usageOf(end);
  return {
    kind: "result",
    result: { kind: "stopped", worker: end.result.worker, ...(usage ? { usage } : {}) },
  };
}

// Those of workers that were killed.
async function removeOldBeats(redis: Redis, key: string): Promise<void> {
  const now = Date.now();
  for (const [field, text] of Object.entries(await redis.hgetall(key))) {
    const beat = readBeat(text);
    if (!beat || now - beat.at > forgottenMs) await redis.hdel(key, field);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

// What fails here only makes a view older, or is about to end anyway.
async function bestEffort(promise: Promise<unknown> | undefined): Promise<void> {
  try {
    await promise;
  } catch {
    // The connection says what is wrong.
  }
}
