// A submitter's side of the queue: adds jobs, and hears how they end.
import type { Queue, QueueEvents, QueueEventsProducer } from "bullmq";
import type { Redis } from "ioredis";
import { type Usage, usage } from "../model/outcome.ts";
import { clock } from "../platform/clock.ts";
import { messageOf } from "../platform/system-error.ts";
import { BlobError, type BlobStore, blobStoreOf } from "./blobs.ts";
import { connect, redisOptions, Troubles } from "./connection.ts";
import {
  type FleetJob,
  type JobProgress,
  type JobResult,
  jobProgress,
  jobResult,
  storedResult,
} from "./job.ts";
import { Ledger, type StoredEnd } from "./ledger.ts";
import { controlNameOf, type JobId, jobName, queueNameOf, workersKeyOf } from "./queue-names.ts";
import { spendingOf, unsealed } from "./sealed.ts";
import type { Fleet } from "./settings.ts";
import { fingerprintOf, signed } from "./signature.ts";
import type { FleetTiming } from "./timing.ts";
import { LivingWorkers, type WorkerBeat } from "./worker-beat.ts";

/** How many events of the queue are kept: with BullMQ's own 10,000, some of a large batch are lost. */
const mostEvents = 200_000;
/** How long what has ended is kept in the queue, in seconds: its result is in the ledger. */
const endedSeconds = 600;
const failedSeconds = 7 * 86_400;
/** How often workers are looked for, and cancelled jobs that have not ended, in milliseconds; at most as often as for lost ones. */
const lookEveryMs = 5_000;
/** How often while there are none: then everything waits for the first one. */
const searchEveryMs = 1_000;
/** How early a tick may come, in milliseconds. */
const earlyMs = 100;
/** A worker that has said nothing for so long has gone, in milliseconds. */
const silentMs = 60_000;
/** How often a result is asked for that the blob store, which answers, does not have, unless that is given. */
const usualReads = 10;
/** The longest result that is read, in bytes. */
const longestResultBytes = 256 * 1024 * 1024;

/** How a job ended. */
export type JobEnd =
  | {
      kind: "result";
      result: JobResult;
      /** What runs without a result have used. */
      spent: Usage[];
    }
  /** Its workers were lost too often, or its result cannot be read. */
  | { kind: "failed"; message: string; spent: Usage[] };

interface Watched {
  job: MakeJob;
  ended(end: JobEnd): void;
  progressed(progress: JobProgress): void;
  /** Whether the job is being made or added. */
  isAdding: boolean;
  /** How often its result was not where it should be. */
  misses: number;
}

/** Makes the job when it must be added. What it throws is why that is not possible. */
type MakeJob = () => Promise<UnsignedJob>;
export type UnsignedJob = Omit<FleetJob, "signature">;

interface Watching {
  /** Whether it may have been added before, and may have ended while nobody listened. */
  isAgain: boolean;
  /** Called when the job runs, and says what it does. */
  progressed(progress: JobProgress): void;
}

export interface SubmitterParts {
  fleet: Fleet;
  timing: FleetTiming;
  /** Called with sentences for people. */
  say(text: string): void;
  /** Which workers there are may have changed. */
  changed?(): void;
  /** How often a result is asked for that the blob store, which answers, does not have. */
  mostReads?: number;
}

export class SubmitterQueue implements AsyncDisposable {
  readonly #parts: SubmitterParts;
  readonly #redis: Redis;
  readonly #troubles: Troubles;
  /** That the server answers, but takes nothing. */
  readonly #refusals: Troubles;
  /** That it answers, but lets us read nothing. */
  readonly #unread: Troubles;
  readonly #living = new LivingWorkers(silentMs);
  /** What is said of single jobs is said once. */
  readonly #saidOfJobs = new Set<string>();
  /** What is about to be written, and nobody waits for. */
  readonly #writing = new Set<Promise<void>>();
  readonly #ledger: Ledger;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #control: QueueEventsProducer;
  readonly #blobs: BlobStore;
  readonly #watched = new Map<JobId, Watched>();
  readonly #cancelled = new Set<JobId>();
  readonly #ticks: Disposable;
  #workers: WorkerBeat[] = [];
  /** On the monotonic clock. */
  #limitedUntil = 0;
  #isClosed = false;

  private constructor(
    parts: SubmitterParts,
    connections: {
      redis: Redis;
      troubles: Troubles;
      queue: Queue;
      events: QueueEvents;
      control: QueueEventsProducer;
    },
  ) {
    const { redis, troubles, queue, events, control } = connections;
    this.#parts = parts;
    this.#redis = redis;
    this.#troubles = troubles;
    this.#refusals = new Troubles(parts.fleet.url, parts.say);
    this.#unread = new Troubles(parts.fleet.url, parts.say);
    this.#queue = queue;
    this.#events = events;
    this.#control = control;
    this.#ledger = new Ledger({ redis, leaseMs: parts.timing.leaseMs });
    this.#blobs = blobStoreOf(parts.fleet);
    this.#ticks = this.#looks();
  }

  /** Connects. Waits for a server that cannot be reached; `say` hears why. Throws if the signal ends the waiting. */
  static async open(parts: SubmitterParts, signal = new AbortController().signal): Promise<SubmitterQueue> {
    const { fleet, say, timing } = parts;
    const { Queue, QueueEvents, QueueEventsProducer } = await import("./bullmq.ts");
    const troubles = new Troubles(fleet.url, say);
    const redis = await connect(fleet, troubles, timing);
    const connection = { connection: redisOptions(fleet, timing), skipVersionCheck: true };
    const name = queueNameOf();
    // From this moment on, by the clock of the server: what happens until we listen is heard too.
    const now = await firstAnswer(redis, troubles, signal);
    // Only now: until the server lets us in, each of them would try by itself.
    const queue = new Queue(name, { ...connection, streams: { events: { maxLen: mostEvents } } });
    const events = new QueueEvents(name, { ...connection, lastEventId: `${now}-0` });
    const control = new QueueEventsProducer(controlNameOf(name), connection);
    const heard = (error: unknown) => troubles.heard(error);
    queue.on("error", heard);
    control.on("error", heard);
    events.on("error", heard);
    const self = new SubmitterQueue(parts, { redis, troubles, queue, events, control });
    events.on("completed", ({ jobId }) => self.#look(jobId));
    events.on("failed", ({ jobId }) => self.#look(jobId));
    events.on("progress", ({ jobId, data }) => self.#progressed(jobId, data));
    await self.#lookForWorkers();
    return self;
  }

  /** Why the queue cannot be reached, or takes nothing; undefined if it can be used. */
  get trouble(): string | undefined {
    return this.#troubles.current ?? this.#refusals.current ?? this.#unread.current;
  }

  /** Whether no job is given out at present, because the account has reached a limit. */
  get isLimited(): boolean {
    return performance.now() < this.#limitedUntil;
  }

  /** The workers that live, as they last said. */
  get workers(): readonly WorkerBeat[] {
    return this.#workers;
  }

  /**
   * Runs a job, or goes on with one that was added before, and resolves when it has ended. Waits while the server is away, or
   * takes nothing.
   */
  async run(id: JobId, job: MakeJob, { isAgain, progressed }: Watching): Promise<JobEnd> {
    const { promise, resolve } = Promise.withResolvers<JobEnd>();
    const watched: Watched = { job, ended: resolve, progressed, isAdding: false, misses: 0 };
    this.#watched.set(id, watched);
    try {
      // What fails now is tried again when all jobs are looked at.
      if (isAgain) await this.#stateOf(id, watched).catch((error) => this.#notRead(id, error));
      else await this.#add(id, watched);
      return await promise;
    } finally {
      this.#watched.delete(id);
    }
  }

  /** Cancels a job: `run` resolves when it has ended. Tries again while the server takes nothing. */
  async cancel(id: JobId): Promise<void> {
    this.#cancelled.add(id);
    while (!this.#isClosed) {
      try {
        await this.#cancelNow(id);
        this.#refusals.over();
        return;
      } catch (error) {
        if (!this.#isClosed) this.#refusals.heard(error);
      }
      await clock.next("rest");
    }
  }

  /** Lets go of what the server has of a job whose end is known, and stored here. At most, it stays there for some days. */
  forget(id: JobId): void {
    const forgotten = this.#ledger.forget(id).catch(() => undefined);
    this.#writing.add(forgotten);
    void forgotten.then(() => this.#writing.delete(forgotten));
  }

  async #cancelNow(id: JobId): Promise<void> {
    await this.#ledger.stop(id);
    // What a worker has is locked, so it is not removed.
    const removed = await this.#queue.remove(id).catch(() => 0);
    await this.#control.publishEvent({ eventName: "cancel", jobId: id });
    const watched = this.#watched.get(id);
    if (removed > 0 && watched) watched.ended(await this.#stopped(id, watched));
  }

  // The result of a job that nobody runs any more, with what it had cost before it was cancelled.
  async #stopped(id: JobId, watched: Watched): Promise<JobEnd> {
    const end = await this.#ended(id, watched);
    if (end) return end;
    return stoppedWith(this.#usages(id, await this.#ledger.ended(id)));
  }

  async #add(id: JobId, watched: Watched): Promise<void> {
    if (watched.isAdding) return;
    watched.isAdding = true;
    try {
      await this.#addNow(id, watched);
    } catch (error) {
      if (error instanceof BlobError) this.#parts.say(error.message);
      else if (!this.#isClosed) this.#refusals.heard(error);
    } finally {
      watched.isAdding = false;
    }
  }

  // The queue ignores a second one with the same id.
  async #addNow(id: JobId, watched: Watched): Promise<void> {
    const { job: make, ended } = watched;
    let job: UnsignedJob;
    try {
      job = await make();
    } catch (error) {
      return ended({ kind: "failed", message: messageOf(error), spent: [] });
    }
    // In the queue, it would wait for a worker who finds that nobody wants it.
    if (this.#cancelled.has(id)) return ended(await this.#stopped(id, watched));
    const { key } = this.#parts.fleet;
    await this.#queue.add(jobName, signed({ ...job, keyId: fingerprintOf(key) }, key), {
      jobId: id,
      attempts: 2,
      backoff: { type: "exponential", delay: 5_000 },
      removeOnComplete: { age: endedSeconds },
      removeOnFail: { age: failedSeconds },
    });
    this.#refusals.over();
  }

  // Asked again later, whatever it was. It may be a trouble of this job alone.
  #notRead(id: JobId, error: unknown): void {
    if (this.#isClosed) return;
    const text =
      error instanceof BlobError ? error.message : `${id} cannot be looked at: ${messageOf(error)}`;
    if (this.#saidOfJobs.has(text)) return;
    this.#saidOfJobs.add(text);
    this.#parts.say(text);
  }

  #looks(): Disposable {
    let lookedAt = performance.now();
    let checkedAt = performance.now();
    return clock.on("second", () => {
      const now = performance.now();
      const { stalledMs } = this.#parts.timing;
      const everyMs = this.#workers.length === 0 ? searchEveryMs : Math.min(lookEveryMs, stalledMs);
      if (now - lookedAt >= everyMs - earlyMs) {
        lookedAt = now;
        void this.#lookForWorkers();
        // Nothing is heard of a job whose worker has gone.
        for (const id of this.#cancelled) this.#look(id);
      }
      // Events are a convenience; what is stored is the truth.
      if (now - checkedAt < stalledMs) return;
      checkedAt = now;
      void this.#lookAtAll();
    });
  }

  // That none of them can be read is a trouble of the server.
  async #lookAtAll(): Promise<void> {
    if (this.#redis.status !== "ready") return;
    const looks = await Promise.allSettled(
      [...this.#watched].map(async ([id, watched]) => {
        try {
          await this.#stateOf(id, watched);
        } catch (error) {
          this.#notRead(id, error);
          if (!(error instanceof BlobError)) throw error;
        }
      }),
    );
    const failed = looks.flatMap((look) => (look.status === "rejected" ? [look.reason] : []));
    if (failed.length < looks.length || looks.length === 0) this.#unread.over();
    else if (!this.#isClosed) this.#unread.heard(failed[0]);
  }

  async #lookForWorkers(): Promise<void> {
    if (this.#redis.status !== "ready") return;
    try {
      const [beats, time, limitedForMs] = await Promise.all([
        this.#redis.hgetall(workersKeyOf(this.#queue.name)),
        this.#redis.time(),
        this.#queue.getRateLimitTtl(),
      ]);
      this.#limitedUntil = performance.now() + Math.max(0, limitedForMs);
      this.#workers = this.#living.among(beats, Number(time[0]) * 1_000);
      // Another connection may have had trouble, and does not say that it is over.
      this.#troubles.over();
      this.#parts.changed?.();
    } catch (error) {
      this.#troubles.heard(error);
    }
  }

  #look(id: JobId | undefined): void {
    const watched = id === undefined ? undefined : this.#watched.get(id);
    if (!watched || id === undefined || this.#redis.status !== "ready") return;
    this.#stateOf(id, watched).catch((error) => this.#notRead(id, error));
  }

  async #stateOf(id: JobId, watched: Watched): Promise<void> {
    const end = await this.#ended(id, watched);
    if (end) return watched.ended(end);
    if (this.#cancelled.has(id) && (await this.#isWithoutWorker(id)))
      return watched.ended(await this.#stopped(id, watched));
    const job = await this.#queue.getJob(id);
    // A server that has lost its data, or was emptied.
    if (!job) return await this.#add(id, watched);
    const state = await job.getState();
    if (state !== "failed" && state !== "completed") return;
    // It may have ended since we looked for its result, which is stored before the queue hears of it.
    const since = await this.#ended(id, watched);
    if (since) return watched.ended(since);
    const stored = await this.#ledger.ended(id);
    // The queue takes it for lost, and its worker does not.
    if (stored.isHeld) return;
    const message =
      state === "failed" ? (job.failedReason ?? "The queue gave it up.") : "Its result was lost.";
    watched.ended({ kind: "failed", message, spent: this.#usages(id, stored) });
  }

  // Whether a cancelled job needs to be waited for no longer. Once it is cancelled, nobody begins it, so its queue's lock, which
  // outlives its worker, means nothing.
  async #isWithoutWorker(id: JobId): Promise<boolean> {
    const { isHeld } = await this.#ledger.ended(id);
    if (isHeld) return false;
    await this.#queue.remove(id).catch(() => 0);
    return true;
  }

  // What the ledger has; undefined if it has no result yet.
  // Throws `BlobError` if its result cannot be read now.
  async #ended(id: JobId, watched: Watched): Promise<JobEnd | undefined> {
    const kept = await this.#ledger.ended(id);
    const { result: text } = kept;
    if (text === undefined) return undefined;
    const spentBefore = this.#usages(id, kept);
    const failed = (message: string): JobEnd => ({ kind: "failed", message, spent: spentBefore });
    const stored = storedResult.safeParse(unsealed(id, text, this.#parts.fleet.key));
    if (!stored.success) return failed("Its result is not signed with the key of the fleet.");
    if (stored.data.kind !== "blob") return { kind: "result", result: stored.data, spent: spentBefore };
    try {
      const whole = jobResult.safeParse(
        JSON.parse(await this.#blobs.text(stored.data.ref, longestResultBytes)),
      );
      return whole.success
        ? { kind: "result", result: whole.data, spent: spentBefore }
        : failed("Its result cannot be read: it is of another version of the program.");
    } catch (error) {
      // Nobody wants it any more, and what it has cost is in it.
      if (error instanceof BlobError && this.#cancelled.has(id))
        return stoppedWith([...spentBefore, unknownCost]);
      if (
        error instanceof BlobError &&
        (!error.isOfBlob || ++watched.misses < (this.#parts.mostReads ?? usualReads))
      )
        throw error;
      return failed(`Its result cannot be read: ${messageOf(error)}`);
    }
  }

  #usages(id: JobId, { spent, lost }: StoredEnd): Usage[] {
    const { key } = this.#parts.fleet;
    const known = spent.flatMap(
      ([runId, text]) => usage.safeParse(unsealed(spendingOf(id, runId), text, key)).data ?? [],
    );
    return lost > 0 ? [unknownCost, ...known] : known;
  }

  #progressed(id: JobId, data: unknown): void {
    const progress = jobProgress.safeParse(data);
    if (progress.success) this.#watched.get(id)?.progressed(progress.data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#ticks[Symbol.dispose]();
    // During an outage, a proper end would wait for its end.
    const close = async (end: Promise<unknown>) => void (await end.catch(() => undefined));
    const all = [this.#events.close(), this.#control.close(), this.#queue.close()].map(close);
    if (this.#redis.status === "ready") await Promise.all([...all, ...this.#writing]);
    this.#redis.disconnect();
  }
}

/** Of a run whose worker has not said what it cost. */
const unknownCost: Usage = { costUsd: 0, numTurns: 0, durationMs: 0, atLeast: true };

function stoppedWith(spent: Usage[]): JobEnd {
  return { kind: "result", result: { kind: "stopped", worker: "" }, spent };
}

// The time of the server, in milliseconds, once it lets us in. A connection that is made again and again keeps the process.
async function firstAnswer(redis: Redis, troubles: Troubles, signal: AbortSignal): Promise<number> {
  // What was asked of a connection that is given up is never answered.
  const left = Promise.withResolvers<never>();
  left.promise.catch(() => undefined);
  const leave = () => {
    redis.disconnect();
    left.reject(new Error("Nobody waits for the fleet any more"));
  };
  signal.addEventListener("abort", leave);
  try {
    for (;;) {
      if (signal.aborted) throw new Error("Nobody waits for the fleet any more");
      try {
        const time = await Promise.race([redis.time(), left.promise]);
        const [seconds = 0, micros = 0] = time.map(Number);
        return seconds * 1000 + Math.floor(micros / 1000);
      } catch (error) {
        // It answers, but refuses us: the password may be put right.
        if (!signal.aborted) troubles.heard(error);
      }
      if (!signal.aborted) await clock.next("rest");
    }
  } finally {
    signal.removeEventListener("abort", leave);
    if (signal.aborted) leave();
  }
}
