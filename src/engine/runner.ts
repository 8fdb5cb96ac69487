// The runner: carries the tasks of one batch through slots, and holds nothing that is not in the log.
import { argumentsFor } from "../claude/arguments.ts";
import { sessionEnvironment } from "../claude/environment.ts";
import type { Session } from "../claude/session.ts";
import { adoptSession, startSession } from "../claude/session.ts";
import { Sweeper } from "../claude/sweep.ts";
import type { Event, EventBody } from "../model/event.ts";
import type { Canceller } from "../model/outcome.ts";
import { type BatchState, taskOf } from "../model/state.ts";
import { kindAt, makePrivateDirectory } from "../platform/files.ts";
import { basename } from "../platform/paths.ts";
import { livenessOf, ownIdentity } from "../platform/process.ts";
import { watchDirectory } from "../platform/watch.ts";
import { type BatchLog, Replaced } from "../store/batch-log.ts";
import { stderrBeside } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { type AttemptEnd, RunningAttempt } from "./attempt.ts";
import { OutputFiles } from "./output-files.ts";
import { Slots } from "./slots.ts";
import { optionsOf, workingDirectoryOf } from "./task-options.ts";

/** How often cancel requests, leash and clocks are looked at, in milliseconds. */
const beatMs = 250;
/** Of the beats, how often each transcript is looked at though no watch called, and the row says that we live. */
const lookEveryBeats = 4;
const aliveEveryMs = 15_000;

/** Called after each change, for views in the same process. */
export type Watching = (state: BatchState, activities: ReadonlyMap<number, string>) => void;

/**
 * Carries a batch to its end. False when another runner has it, or took it over meanwhile.
 */
export async function runBatch(store: Store, log: BatchLog, watching?: Watching): Promise<boolean> {
  const epoch = log.takeOver(ownIdentity());
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

class Runner implements AsyncDisposable {
  readonly #store: Store;
  readonly #log: BatchLog;
  readonly #epoch: number;
  readonly #watching: Watching | undefined;
  readonly #slots: Slots;
  readonly #sweeper = new Sweeper();
  readonly #files: OutputFiles;
  readonly #environment = sessionEnvironment(process.env);
  /** By task number. */
  readonly #running = new Map<number, RunningAttempt>();
  /** By the name of the transcript, which is what a watch calls with. */
  readonly #byTranscript = new Map<string, RunningAttempt>();
  readonly #activities = new Map<number, string>();
  readonly #failed = Promise.withResolvers<never>();
  #changeCount = -1;
  #aliveAt = performance.now();
  #beats = 0;

  constructor(store: Store, log: BatchLog, epoch: number, watching: Watching | undefined) {
    this.#store = store;
    this.#log = log;
    this.#epoch = epoch;
    this.#watching = watching;
    this.#slots = new Slots(log.state.batch.concurrency);
    this.#files = new OutputFiles(store, log, this.#activities, (body) => this.#append(() => [body]));
    // Nobody may be listening any more when it fails.
    this.#failed.promise.catch(() => undefined);
  }

  async run(): Promise<void> {
    const { state, batchId } = this.#log;
    const folder = this.#store.layout.batchDirectory(batchId);
    makePrivateDirectory(folder);
    using _watch = watchDirectory(folder, (name) => this.#byTranscript.get(name)?.look());
    const timer = setInterval(() => this.#guard(() => this.#beat()), beatMs);
    try {
      this.#files.begin();
      await Promise.race([this.#runTasks(state), this.#failed.promise]);
      this.#files.end();
      this.#append(() => [{ type: "batch-ended" }]);
    } finally {
      clearInterval(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // After an error of ours: sessions go on writing to their transcripts, for the next runner to adopt.
    this.#running.clear();
  }

  async #runTasks(state: BatchState): Promise<void> {
    const tasks: Promise<void>[] = [];
    for (const { number, status } of [...state.tasks]) {
      // Adopted ones first hold their slots: they run already, whatever the ceiling is now.
      if (status === "running") tasks.push(this.#slots.acquire().then((slot) => this.#adopt(number, slot)));
    }
    for (const { number, status } of [...state.tasks]) {
      if (status !== "queued") continue;
      const slot = await this.#slots.acquire();
      if (taskOf(this.#log.state, number).status === "queued") tasks.push(this.#start(number, slot));
      else slot[Symbol.dispose]();
    }
    await Promise.all(tasks);
  }

  async #start(number: number, slot: Disposable): Promise<void> {
    using _slot = slot;
    const { batch } = this.#log.state;
    const options = optionsOf(batch, number);
    const attempt = taskOf(this.#log.state, number).attempts.length + 1;
    const transcript = this.#store.layout.transcript(batch.batchId, number, attempt, batch.tasks.length);
    const sessionId =
      options.forkSession || options.resumeSessionId === undefined
        ? crypto.randomUUID()
        : options.resumeSessionId;
    const workingDirectory = workingDirectoryOf(batch, options);
    const start = startSession({
      command: [batch.claudePath, ...argumentsFor(options, sessionId)],
      workingDirectory,
      environment: this.#environment,
      marker: markerOf(batch.batchId, number, attempt, sessionId),
      transcript,
      stderr: stderrBeside(transcript),
    });
    if (!start.started) {
      const message = explainStart(start.message, batch.claudePath, workingDirectory);
      this.#finish(number, 0, { outcome: { kind: "not-started", message } });
      return;
    }
    const { session } = start;
    const { identity } = session;
    const [started] = this.#append((state) =>
      taskOf(state, number).status === "queued"
        ? [{ type: "attempt-started", task: number, attempt, identity, sessionId, transcript }]
        : [],
    );
    if (!started) {
      // Cancelled between our look and the commit. It has no prompt, so it leaves without having spent anything.
      session.closeInput();
      await session.exited;
      return;
    }
    await this.#carry(number, attempt, session, transcript, started.at, true);
  }

  async #adopt(number: number, slot: Disposable): Promise<void> {
    using _slot = slot;
    const { batch } = this.#log.state;
    const last = taskOf(this.#log.state, number).attempts.at(-1);
    if (!last) throw new Error(`Internal error: task ${number} runs without an attempt`);
    const marker = markerOf(batch.batchId, number, last.number, last.sessionId);
    const session = adoptSession(last.identity, marker);
    await this.#carry(number, last.number, session, last.transcript, last.startedAt, false);
  }

  async #carry(
    number: number,
    attempt: number,
    session: Session,
    transcript: string,
    startedAt: number,
    fresh: boolean,
  ): Promise<void> {
    const { batch } = this.#log.state;
    const running = new RunningAttempt({
      session,
      options: optionsOf(batch, number),
      transcript,
      stderr: stderrBeside(transcript),
      sweeper: this.#sweeper,
      startedAt,
    });
    this.#running.set(number, running);
    this.#byTranscript.set(basename(transcript), running);
    if (fresh) running.prompt(batch.tasks[number - 1]?.prompt ?? "");
    this.#endCancelled();
    const end = await running.ended();
    this.#running.delete(number);
    this.#byTranscript.delete(basename(transcript));
    this.#activities.delete(number);
    this.#finish(number, attempt, end);
  }

  // Committed first, then written: the files are named from the time in the log.
  #finish(number: number, attempt: number, end: Pick<AttemptEnd, "outcome"> & Partial<AttemptEnd>): void {
    const { outcome, usage, leaked = [], sessionId, model, lastText } = end;
    this.#guard(() => {
      this.#append(() => [
        {
          type: "attempt-ended",
          task: number,
          attempt,
          outcome,
          ...(usage ? { usage } : {}),
          ...(sessionId === undefined ? {} : { sessionId }),
          ...(model === undefined ? {} : { model }),
          ...(leaked.length > 0 ? { leaked } : {}),
        },
        ...this.#consequenceOf(outcome.kind),
      ]);
      this.#files.task(number, lastText);
      this.#endCancelled();
    });
  }

  #consequenceOf(kind: string): EventBody[] {
    const { batch, cancelledBy, tasks } = this.#log.state;
    if (kind === "succeeded" || kind === "cancelled" || cancelledBy || batch.failureMode === "continue")
      return [];
    if (batch.failureMode === "cancel") return [{ type: "cancel-requested", by: "failure-mode" }];
    const queued = tasks.filter((task) => task.status === "queued").map((task) => task.number);
    return queued.length > 0 ? [{ type: "cancel-requested", by: "failure-mode", tasks: queued }] : [];
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
    const events = this.#log.refresh();
    if (this.#log.state.epoch !== this.#epoch) throw new Replaced(this.#log.batchId);
    if (events.length === 0) return;
    this.#changed();
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

/** Which attempt a process belongs to. What comes of the session's id tells it from those of another store. */
export function markerOf(batchId: string, task: number, attempt: number, sessionId: string): string {
  const suffix = new Bun.CryptoHasher("sha256").update(sessionId).digest("hex").slice(0, 16);
  return `${batchId}/${task}/${attempt}/${suffix}`;
}

// A missing directory is reported by the system as if the command were missing.
function explainStart(message: string, claudePath: string, workingDirectory: string): string {
  if (kindAt(workingDirectory) !== "directory")
    return `The working directory ${workingDirectory} is not there any more.`;
  if (kindAt(claudePath) !== "file")
    return `${claudePath} is not there any more. Look with \`parallel-claude-code-mcp doctor\`.`;
  return message;
}
