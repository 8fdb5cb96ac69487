// The runner: carries the tasks of one batch through slots, and holds nothing that is not in the log.
import { sessionEnvironment } from "../claude/environment.ts";
import type { Session } from "../claude/session.ts";
import { adoptSession, startSession } from "../claude/session.ts";
import { Sweeper } from "../claude/sweep.ts";
import type { Event, EventBody } from "../model/event.ts";
import type { SessionOptions } from "../model/options.ts";
import type { Canceller } from "../model/outcome.ts";
import { type BatchState, taskOf } from "../model/state.ts";
import { makePrivateDirectory } from "../platform/files.ts";
import { basename } from "../platform/paths.ts";
import { livenessOf, ownIdentity } from "../platform/process.ts";
import { watchDirectory } from "../platform/watch.ts";
import { type BatchLog, Replaced } from "../store/batch-log.ts";
import { isStorageTrouble } from "../store/database.ts";
import { stderrBeside } from "../store/layout.ts";
import { MachineSlots } from "../store/machine-slots.ts";
import type { Store } from "../store/store.ts";
import { type AttemptEnd, RunningAttempt } from "./attempt.ts";
import { OutputFiles } from "./output-files.ts";
import { type AttemptPlan, markerOf, planAttempt, startFailureText } from "./plan-attempt.ts";
import { retryDelayMs } from "./retry.ts";
import { lackOfRoom } from "./room.ts";
import { type Slot, Slots } from "./slots.ts";
import { optionsOf, workingDirectoryOf } from "./task-options.ts";

/** How often cancel requests, leash and clocks are looked at, in milliseconds. */
const beatMs = 250;
/** Of the beats, how often each transcript is looked at though no watch called, and the row says that we live. */
const lookEveryBeats = 4;
const aliveEveryMs = 15_000;
/** Between two tries to write what must be written, in milliseconds. */
const commitAgainMs = 1_000;

/** Called after each change, for views in the same process. */
export type Watching = (state: BatchState, activities: ReadonlyMap<number, string>) => void;

/**
 * Carries a batch to its end. False when another runner has it, or took it over meanwhile.
 */
export async function runBatch(store: Store, log: BatchLog, watching?: Watching): Promise<boolean> {
  const epoch = await takeOver(log);
  if (epoch === undefined) return false;
  await using runner = new Runner(store, log, epoch, watching);
  try {
    await runner.run();
    return true;
  } catch (error) {
    if (error instanceof Replaced) return false;
    throw error;
  }
}

/** So long, in milliseconds, an earlier runner is waited for that has ended its batch and is about to leave. */
const leavingMs = 3_000;

async function takeOver(log: BatchLog): Promise<number | undefined> {
  const deadline = performance.now() + leavingMs;
  for (;;) {
    log.refresh();
    const epoch = log.takeOver(ownIdentity());
    if (epoch !== undefined || log.state.endedAt !== undefined || performance.now() > deadline) return epoch;
    await Bun.sleep(50);
  }
}

interface Carried {
  number: number;
  attempt: number;
  session: Session;
  options: SessionOptions;
  transcript: string;
  startedAt: number;
  /** What the session is asked; an adopted one has been. */
  prompt?: string;
  adopted: boolean;
}

class Runner implements AsyncDisposable {
  readonly #store: Store;
  readonly #log: BatchLog;
  readonly #epoch: number;
  readonly #watching: Watching | undefined;
  readonly #machine: MachineSlots;
  readonly #slots: Slots;
  readonly #sweeper = new Sweeper();
  readonly #files: OutputFiles;
  readonly #environment = sessionEnvironment(process.env);
  /** What is being carried, by task number: running, or waiting for its slot or its retry. */
  readonly #open = new Map<number, Promise<void>>();
  /** By task number. */
  readonly #running = new Map<number, RunningAttempt>();
  /** By the name of the transcript, which is what a watch calls with. */
  readonly #byTranscript = new Map<string, RunningAttempt>();
  readonly #activities = new Map<number, string>();
  readonly #failed = Promise.withResolvers<never>();
  #heldBecause: string | undefined;
  #changeCount = -1;
  #aliveAt = performance.now();
  #beats = 0;

  constructor(store: Store, log: BatchLog, epoch: number, watching: Watching | undefined) {
    this.#store = store;
    this.#log = log;
    this.#epoch = epoch;
    this.#watching = watching;
    const { batch, account } = log.state;
    this.#machine = new MachineSlots(store.database, {
      account: account.hash,
      batchId: batch.batchId,
      holder: ownIdentity(),
      limit: batch.slots ?? batch.concurrency,
    });
    this.#slots = new Slots(batch.concurrency, this.#machine);
    this.#files = new OutputFiles(store, log, this.#activities, (body) => {
      // When the log cannot be written either, the log is what matters.
      this.#tolerant(() => void this.#append(() => [body]));
    });
    // Nobody may be listening any more when it fails.
    this.#failed.promise.catch(() => undefined);
  }

  async run(): Promise<void> {
    const { state, batchId } = this.#log;
    const folder = this.#store.layout.batchDirectory(batchId);
    makePrivateDirectory(folder);
    using _watch = watchDirectory(folder, (name) => this.#byTranscript.get(name)?.look());
    const timer = setInterval(() => this.#guard(() => this.#tolerant(() => this.#beat())), beatMs);
    try {
      this.#files.begin();
      do {
        await Promise.race([this.#runTasks(state), this.#failed.promise]);
        this.#files.end();
        // A retry that somebody asked for in this moment has queued tasks again.
      } while ((await this.#commit((now) => (isDone(now) ? [{ type: "batch-ended" }] : []))).length === 0);
      this.#machine.releaseAll();
    } finally {
      clearInterval(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // After an error of ours: sessions go on writing to their transcripts, for the next runner to adopt.
    this.#running.clear();
  }

  async #runTasks(state: BatchState): Promise<void> {
    // Adopted sessions run already, whatever the ceiling is now; so they need not wait for their slots.
    const inherited = this.#machine.inherit();
    for (const { number, status } of [...state.tasks]) {
      if (status !== "running") continue;
      const id = inherited.pop() ?? this.#machine.force();
      this.#begin(number, this.#adopt(number, this.#slots.adopt(id)));
    }
    for (const id of inherited) this.#machine.release(id);
    for (const { number, status } of [...state.tasks]) {
      if (status !== "queued" || this.#open.has(number)) continue;
      const slot = await this.#slots.acquire();
      this.#begin(number, this.#carryTask(number, slot));
    }
    while (this.#open.size > 0) await Promise.race(this.#open.values());
  }

  // What fails in one task fails the runner, also while the loop above waits for a slot.
  #begin(number: number, task: Promise<void>): void {
    const carried = task.then(
      () => void this.#open.delete(number),
      (error) => this.#failed.reject(error),
    );
    this.#open.set(number, carried);
  }

  // A retry was asked for while the batch runs.
  #beginAgain(numbers: readonly number[]): void {
    this.#files.forget(numbers);
    for (const number of numbers) {
      if (this.#open.has(number) || taskOf(this.#log.state, number).status !== "queued") continue;
      this.#begin(
        number,
        this.#slots.acquire().then((slot) => this.#carryTask(number, slot)),
      );
    }
  }

  // Attempt by attempt, until the task has ended. A task that waits for its retry holds no slot.
  async #carryTask(number: number, first: Slot): Promise<void> {
    let slot = first;
    for (;;) {
      {
        using _slot = slot;
        await this.#untilThereIsRoom(number);
        if (this.#isDue(number)) await this.#start(number);
      }
      await this.#untilDue(number);
      if (taskOf(this.#log.state, number).status !== "queued") return;
      slot = await this.#slots.acquire();
    }
  }

  // Sessions that run go on; only new ones wait.
  async #untilThereIsRoom(number: number): Promise<void> {
    const { stateDirectory } = this.#store.layout;
    for (;;) {
      const because = lackOfRoom(stateDirectory);
      this.#hold(because);
      if (because === undefined || !this.#isDue(number)) return;
      await Bun.sleep(beatMs);
    }
  }

  #hold(because: string | undefined): void {
    if (because === this.#heldBecause) return;
    this.#heldBecause = because;
    try {
      this.#store.setHold(this.#log.batchId, because);
    } catch (error) {
      // On a full disk not even that can be written; it is tried again with the next reason.
      if (!isStorageTrouble(error)) throw error;
    }
  }

  #isDue(number: number): boolean {
    const task = taskOf(this.#log.state, number);
    return task.status === "queued" && (task.notBefore ?? 0) <= Date.now();
  }

  // In short steps, for the task may be cancelled meanwhile.
  async #untilDue(number: number): Promise<void> {
    while (taskOf(this.#log.state, number).status === "queued" && !this.#isDue(number))
      await Bun.sleep(beatMs);
  }

  async #start(number: number): Promise<void> {
    const plan = planAttempt(this.#log.state, number, {
      layout: this.#store.layout,
      environment: this.#environment,
    });
    const start = startSession(plan.session);
    if (!start.started) {
      const message = startFailureText(start.message, plan.session);
      await this.#finish(number, 0, { outcome: { kind: "not-started", message } });
      return;
    }
    const { session } = start;
    const [started] = await this.#commit((state) =>
      taskOf(state, number).status === "queued" ? [startedEvent(number, plan, session)] : [],
    );
    if (!started) {
      // Cancelled between our look and the commit. It has no prompt, so it leaves without having spent anything.
      session.closeInput();
      await session.exited;
      return;
    }
    const { attempt, options, prompt } = plan;
    const { transcript } = plan.session;
    const startedAt = started.at;
    await this.#carry({ number, attempt, session, options, transcript, startedAt, prompt, adopted: false });
  }

  async #adopt(number: number, slot: Slot): Promise<void> {
    const { batch, tasks } = this.#log.state;
    const last = tasks[number - 1]?.attempts.at(-1);
    if (!last) throw new Error(`Internal error: task ${number} runs without an attempt`);
    const { identity, sessionId, transcript, startedAt } = last;
    {
      using _slot = slot;
      const options = optionsOf(batch, number);
      await this.#carry({
        number,
        attempt: last.number,
        session: adoptSession(identity, markerOf(batch.batchId, number, last.number, sessionId)),
        options,
        transcript,
        startedAt,
        adopted: true,
      });
    }
    await this.#untilDue(number);
    if (taskOf(this.#log.state, number).status === "queued") {
      await this.#carryTask(number, await this.#slots.acquire());
    }
  }

  async #carry(carried: Carried): Promise<void> {
    const { number, session, options, transcript, startedAt, adopted } = carried;
    const running = new RunningAttempt({
      session,
      options,
      transcript,
      stderr: stderrBeside(transcript),
      sweeper: this.#sweeper,
      startedAt,
      workingDirectory: workingDirectoryOf(this.#log.state.batch, options),
      environment: this.#environment,
    });
    this.#running.set(number, running);
    this.#byTranscript.set(basename(transcript), running);
    if (carried.prompt !== undefined) running.prompt(carried.prompt);
    this.#endCancelled();
    const end = await running.ended();
    this.#running.delete(number);
    this.#byTranscript.delete(basename(transcript));
    this.#activities.delete(number);
    const delayMs = retryDelayMs({
      outcome: end.outcome,
      attempts: carried.attempt,
      retries: options.retries,
      adopted,
    });
    await this.#finish(number, carried.attempt, end, delayMs);
  }

  // Committed first, then written: the files are named from the time in the log.
  async #finish(
    number: number,
    attempt: number,
    end: Pick<AttemptEnd, "outcome"> & Partial<AttemptEnd>,
    retryDelayMs?: number,
  ): Promise<void> {
    const { outcome, usage, leaked = [], sessionId, model, lastText, text, resumable } = end;
    await this.#commit(() => [
      {
        type: "attempt-ended",
        task: number,
        attempt,
        outcome,
        ...(usage ? { usage } : {}),
        ...(sessionId === undefined ? {} : { sessionId }),
        ...(model === undefined ? {} : { model }),
        ...(leaked.length > 0 ? { leaked } : {}),
        ...(resumable ? { resumable } : {}),
        ...(retryDelayMs === undefined ? {} : { retryAt: Date.now() + Math.round(retryDelayMs) }),
      },
      ...(retryDelayMs === undefined ? this.#consequenceOf(outcome.kind) : []),
    ]);
    this.#files.task(number, { lastText, text });
    this.#endCancelled();
  }

  #consequenceOf(kind: string): EventBody[] {
    const { batch, cancelledBy, tasks } = this.#log.state;
    if (kind === "succeeded" || kind === "cancelled" || cancelledBy || batch.failureMode === "continue")
      return [];
    if (batch.failureMode === "cancel") return [{ type: "cancel-requested", by: "failure-mode" }];
    const queued = tasks.filter((task) => task.status === "queued").map((task) => task.number);
    return queued.length > 0 ? [{ type: "cancel-requested", by: "failure-mode", tasks: queued }] : [];
  }

  // What must be in the log before anything else happens. A disk that is full is waited for.
  async #commit(decide: (state: BatchState) => EventBody[]): Promise<Event[]> {
    for (;;) {
      try {
        return this.#append(decide);
      } catch (error) {
        if (!isStorageTrouble(error)) throw error;
        console.error(`${new Date().toISOString()} The log cannot be written: ${error.message}`);
        await Bun.sleep(commitAgainMs);
      }
    }
  }

  #append(decide: (state: BatchState) => EventBody[]): Event[] {
    const events = this.#log.append(decide, this.#epoch);
    this.#changed();
    return events;
  }

  #changed(): void {
    this.#files.changed();
    this.#watching?.(this.#log.state, this.#activities);
  }

  #beat(): void {
    this.#beats++;
    this.#sayThatWeLive();
    this.#hearOthers();
    this.#checkLeash();
    for (const [number, attempt] of this.#running) {
      if (this.#beats % lookEveryBeats === 0) attempt.look();
      attempt.checkClocks();
      this.#noteActivity(number, attempt.activity);
    }
    this.#files.beat();
  }

  #hearOthers(): void {
    const changeCount = this.#store.changeCount();
    if (changeCount === this.#changeCount) return;
    this.#changeCount = changeCount;
    this.#slots.contended = this.#machine.yields();
    const events = this.#log.refresh();
    if (this.#log.state.epoch !== this.#epoch) throw new Replaced(this.#log.batchId);
    if (events.length === 0) return;
    this.#changed();
    for (const event of events) if (event.type === "retry-requested") this.#beginAgain(event.tasks);
    this.#endCancelled();
  }

  #checkLeash(): void {
    const { leash, cancelledBy } = this.#log.state;
    if (!leash || cancelledBy || livenessOf(leash) !== "dead") return;
    this.#append(() => [{ type: "cancel-requested", by: "leash" }]);
    this.#endCancelled();
  }

  #sayThatWeLive(): void {
    if (performance.now() - this.#aliveAt < aliveEveryMs) return;
    this.#aliveAt = performance.now();
    if (!this.#store.setAlive(this.#log.batchId, this.#epoch, Date.now()))
      throw new Replaced(this.#log.batchId);
  }

  #endCancelled(): void {
    for (const [number, attempt] of this.#running) {
      const by = cancellerOf(this.#log.state, number);
      if (by) attempt.end({ kind: "cancelled", by });
    }
  }

  #noteActivity(number: number, activity: string | undefined): void {
    if (activity === undefined || this.#activities.get(number) === activity) return;
    this.#activities.set(number, activity);
    this.#store.setActivity(this.#log.batchId, number, activity);
    this.#changed();
  }

  // The next beat tries again what a full disk did not let through.
  #tolerant(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isStorageTrouble(error)) throw error;
    }
  }

  // What fails in a timer or a watch fails the runner, and not only that one call.
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failed.reject(error);
    }
  }
}

function cancellerOf(state: BatchState, number: number): Canceller | undefined {
  const task = taskOf(state, number);
  return task.status === "running" ? task.cancelling : undefined;
}

function isDone({ tasks }: BatchState): boolean {
  return tasks.every(({ status }) => status === "done");
}

function startedEvent(task: number, plan: AttemptPlan, { identity }: Session): EventBody {
  const { attempt, sessionId, resumes, session } = plan;
  const { transcript } = session;
  return {
    type: "attempt-started",
    task,
    attempt,
    identity,
    sessionId,
    transcript,
    ...(resumes ? { resumes } : {}),
  };
}
