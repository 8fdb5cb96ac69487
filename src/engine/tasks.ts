// Carries the tasks of a batch through slots, attempt by attempt.
import { adoptSession, type Session, startSession } from "../claude/session.ts";
import { Sweeper } from "../claude/sweep.ts";
import type { EventBody } from "../model/event.ts";
import type { SessionOptions } from "../model/options.ts";
import { type BatchState, taskOf } from "../model/state.ts";
import { basename } from "../platform/paths.ts";
import { stderrBeside } from "../store/layout.ts";
import type { MachineSlots } from "../store/machine-slots.ts";
import type { Store } from "../store/store.ts";
import { type AttemptEnd, RunningAttempt } from "./attempt.ts";
import type { OutputFiles } from "./output-files.ts";
import { type AttemptPlan, markerOf, planAttempt, startFailureText } from "./plan-attempt.ts";
import { retryDelayMs } from "./retry.ts";
import { lackOfRoom } from "./room.ts";
import type { RunnerLog } from "./runner-log.ts";
import type { Slot, Slots } from "./slots.ts";
import { optionsOf, workingDirectoryOf } from "./task-options.ts";

/** How often a task that waits for something looks whether it has come, in milliseconds. */
const lookMs = 250;

/** What the tasks of a batch need. */
export interface TasksPlan {
  store: Store;
  log: RunnerLog;
  slots: Slots;
  machine: MachineSlots;
  files: OutputFiles;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** Tells why no sessions start for the moment; without a reason, that they do again. */
  hold(because: string | undefined): void;
  /** A task has failed for a reason of ours. */
  failed(error: unknown): void;
}

/** An attempt that is in the log, and what is needed to see it through. */
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

export class Tasks {
  readonly #plan: TasksPlan;
  readonly #sweeper = new Sweeper();
  /** What is being carried, by task number: running, or waiting for its slot or its retry. */
  readonly #open = new Map<number, Promise<void>>();
  /** Attempts that run, by task number. */
  readonly running = new Map<number, RunningAttempt>();
  /** By the name of the transcript, which is what a watch calls with. */
  readonly #byTranscript = new Map<string, RunningAttempt>();

  constructor(plan: TasksPlan) {
    this.#plan = plan;
  }

  /** Carries everything that is queued or runs already. Resolves when nothing is open any more. */
  async carryAll(): Promise<void> {
    const { log, machine, slots } = this.#plan;
    // Adopted sessions run already, whatever the ceiling is now; so they need not wait for their slots.
    const inherited = machine.inherit();
    for (const { number, status } of [...log.state.tasks]) {
      if (status !== "running" || this.#open.has(number)) continue;
      const id = inherited.pop() ?? machine.force();
      this.#begin(number, this.#adopt(number, slots.adopt(id)));
    }
    for (const id of inherited) machine.release(id);
    for (const { number, status } of [...log.state.tasks]) {
      if (status !== "queued" || this.#open.has(number)) continue;
      const slot = await slots.acquire();
      // Cancelled and asked for again while it waited here: then somebody carries it already.
      if (this.#open.has(number)) slot[Symbol.dispose]();
      else this.#begin(number, this.#carry(number, slot));
    }
    while (this.#open.size > 0) await Promise.race(this.#open.values());
  }

  /** Begins tasks again that a retry has queued while the batch runs. */
  beginAgain(numbers: readonly number[]): void {
    const { files, slots } = this.#plan;
    files.forget(numbers);
    for (const number of numbers) {
      // Some may have ended again before we heard of it.
      files.task(number);
      if (this.#open.has(number) || !this.#isQueued(number)) continue;
      this.#begin(
        number,
        slots.acquire().then((slot) => this.#carry(number, slot)),
      );
    }
  }

  /** Something happened to a transcript. */
  look(transcript: string): void {
    this.#byTranscript.get(transcript)?.look();
  }

  /** Ends what somebody has cancelled. */
  endCancelled(): void {
    for (const [number, attempt] of this.running) {
      const task = taskOf(this.#plan.log.state, number);
      if (task.status === "running" && task.cancelling)
        attempt.end({ kind: "cancelled", by: task.cancelling });
    }
  }

  #begin(number: number, task: Promise<void>): void {
    const carried = task.then(
      () => {
        this.#open.delete(number);
        // Asked for again in the very moment in which it ended.
        if (this.#isQueued(number)) this.beginAgain([number]);
      },
      (error) => this.#plan.failed(error),
    );
    this.#open.set(number, carried);
  }

  // Attempt by attempt, until the task has ended. A task that waits for its retry holds no slot.
  async #carry(number: number, first: Slot): Promise<void> {
    let slot = first;
    for (;;) {
      {
        using _slot = slot;
        await this.#untilThereIsRoom(number);
        if (this.#isDue(number)) await this.#start(number);
      }
      await this.#untilDue(number);
      if (!this.#isQueued(number)) return;
      slot = await this.#plan.slots.acquire();
    }
  }

  async #adopt(number: number, slot: Slot): Promise<void> {
    const { batch } = this.#plan.log.state;
    const last = taskOf(this.#plan.log.state, number).attempts.at(-1);
    if (!last) throw new Error(`Internal error: task ${number} runs without an attempt`);
    const { number: attempt, identity, sessionId, transcript, startedAt } = last;
    const session = adoptSession(identity, markerOf(batch.batchId, number, attempt, sessionId));
    const options = optionsOf(batch, number);
    {
      using _slot = slot;
      await this.#see({ number, attempt, session, options, transcript, startedAt, adopted: true });
    }
    await this.#untilDue(number);
    if (this.#isQueued(number)) await this.#carry(number, await this.#plan.slots.acquire());
  }

  async #start(number: number): Promise<void> {
    const { log, store, environment } = this.#plan;
    const plan = planAttempt(log.state, number, { layout: store.layout, environment });
    const start = startSession(plan.session);
    if (!start.started) {
      const message = startFailureText(start.message, plan.session);
      await this.#finish(number, 0, { outcome: { kind: "not-started", message } });
      return;
    }
    const { session } = start;
    const [started] = await log.commit(() =>
      this.#isQueued(number) ? [startedEvent(number, plan, session)] : [],
    );
    if (!started) {
      // Cancelled between our look and the commit. It has no prompt, so it leaves without having spent anything.
      session.closeInput();
      await session.exited;
      return;
    }
    const { attempt, options, prompt } = plan;
    const { transcript } = plan.session;
    await this.#see({
      number,
      attempt,
      session,
      options,
      transcript,
      startedAt: started.at,
      prompt,
      adopted: false,
    });
  }

  // From the prompt to the outcome.
  async #see(carried: Carried): Promise<void> {
    const { number, attempt, session, options, transcript, startedAt, prompt, adopted } = carried;
    const { log, environment } = this.#plan;
    const running = new RunningAttempt({
      session,
      options,
      transcript,
      stderr: stderrBeside(transcript),
      sweeper: this.#sweeper,
      startedAt,
      workingDirectory: workingDirectoryOf(log.state.batch, options),
      environment,
    });
    this.running.set(number, running);
    this.#byTranscript.set(basename(transcript), running);
    if (prompt !== undefined) running.prompt(prompt);
    // What it has written before we came, no watch will tell.
    if (adopted) running.look();
    this.endCancelled();
    const end = await running.ended();
    this.running.delete(number);
    this.#byTranscript.delete(basename(transcript));
    // What was tried before somebody asked for the task again does not count.
    const askedAgainAt = log.state.earlierEnds.get(number)?.at(-1) ?? 0;
    const { attempts } = taskOf(log.state, number);
    const delayMs = retryDelayMs({
      outcome: end.outcome,
      attempts: attempts.filter((one) => one.startedAt >= askedAgainAt).length,
      retries: options.retries,
      adopted,
    });
    await this.#finish(number, attempt, end, delayMs);
  }

  // Committed first, then written: the files are named from the time in the log.
  async #finish(
    number: number,
    attempt: number,
    end: Pick<AttemptEnd, "outcome"> & Partial<AttemptEnd>,
    delayMs?: number,
  ): Promise<void> {
    const { log, files } = this.#plan;
    await log.commit((state) => [
      endedEvent(number, attempt, end, delayMs),
      ...(delayMs === undefined ? consequenceOf(state, end.outcome.kind, number) : []),
    ]);
    files.task(number, end);
    this.endCancelled();
  }

  // Sessions that run go on; only new ones wait.
  async #untilThereIsRoom(number: number): Promise<void> {
    const { store, hold } = this.#plan;
    for (;;) {
      const because = lackOfRoom(store.layout.stateDirectory);
      hold(because);
      if (because === undefined || !this.#isDue(number)) return;
      await Bun.sleep(lookMs);
    }
  }

  // In short steps, for the task may be cancelled meanwhile.
  async #untilDue(number: number): Promise<void> {
    while (this.#isQueued(number) && !this.#isDue(number)) await Bun.sleep(lookMs);
  }

  #isQueued(number: number): boolean {
    return taskOf(this.#plan.log.state, number).status === "queued";
  }

  #isDue(number: number): boolean {
    const task = taskOf(this.#plan.log.state, number);
    return task.status === "queued" && (task.notBefore ?? 0) <= Date.now();
  }
}

function startedEvent(task: number, plan: AttemptPlan, { identity }: Session): EventBody {
  const { attempt, sessionId, resumes, session } = plan;
  const { transcript } = session;
  const started = { type: "attempt-started" as const, task, attempt, identity, sessionId, transcript };
  return { ...started, ...(resumes ? { resumes } : {}) };
}

function endedEvent(
  task: number,
  attempt: number,
  end: Pick<AttemptEnd, "outcome"> & Partial<AttemptEnd>,
  delayMs: number | undefined,
): EventBody {
  const { outcome, usage, leaked = [], sessionId, model, resumable } = end;
  return {
    type: "attempt-ended",
    task,
    attempt,
    outcome,
    ...(usage ? { usage } : {}),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(model === undefined ? {} : { model }),
    ...(leaked.length > 0 ? { leaked } : {}),
    ...(resumable ? { resumable } : {}),
    ...(delayMs === undefined ? {} : { retryAt: Date.now() + Math.round(delayMs) }),
  };
}

// What a failure means for the other tasks, where `failureMode` says so.
function consequenceOf({ batch, cancelledBy, tasks }: BatchState, kind: string, failed: number): EventBody[] {
  if (kind === "succeeded" || kind === "cancelled" || cancelledBy || batch.failureMode === "continue")
    return [];
  if (batch.failureMode === "cancel") return [{ type: "cancel-requested", by: "failure-mode" }];
  const queued = tasks.filter((task) => task.status === "queued" && task.number !== failed);
  if (queued.length === 0) return [];
  return [{ type: "cancel-requested", by: "failure-mode", tasks: queued.map((task) => task.number) }];
}
