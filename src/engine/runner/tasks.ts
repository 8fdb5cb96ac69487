// Carries the tasks of a batch through slots, attempt by attempt.
import { conversationFile } from "../../claude/conversation.ts";
import { adoptSession, type Session, startSession } from "../../claude/session.ts";
import { SharedDaemons } from "../../claude/shared-daemons.ts";
import { Sweeper } from "../../claude/sweep.ts";
import { terminate } from "../../claude/terminate.ts";
import { TranscriptReader } from "../../claude/transcript.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { Outcome, Spent } from "../../model/outcome.ts";
import type { SessionValues } from "../../model/session-values.ts";
import { attemptsSinceAsked, taskOf } from "../../model/state.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { exists } from "../../platform/files.ts";
import { basename } from "../../platform/paths.ts";
import type { HoldName } from "../../store/holds.ts";
import { stderrBeside } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { AccountHolds } from "../account/account-holds.ts";
import type { AccountPace } from "../account/account-pace.ts";
import { RunningAttempt, type Signs } from "../attempt/attempt.ts";
import {
  consequenceOf,
  type EndKnown,
  endedEvent,
  endOfHeld,
  startedEvent,
} from "../attempt/attempt-events.ts";
import { claudeOf } from "../attempt/claude-of.ts";
import { beginsAnew } from "../attempt/continuation.ts";
import { type AttemptPlan, isStillMeant, markerOf, planAttempt } from "../attempt/plan-attempt.ts";
import { missingText, startVerdict } from "../attempt/start-failure.ts";
import { configurationOf } from "../memory/footprint-key.ts";
import type { Machine } from "../memory/machine.ts";
import type { OutputFiles } from "../output/output-files.ts";
import { type Admission, type Admitted, lookMs } from "../scheduler/admission.ts";
import type { LoginProof } from "../scheduler/login-proof.ts";
import { retryDelayMs } from "../scheduler/retry.ts";
import type { Slot, Slots } from "../scheduler/slots.ts";
import type { StartHold } from "../scheduler/start-hold.ts";
import type { SharedSlots } from "../shared/shared-store.ts";
import type { RunnerLog } from "./runner-log.ts";

/** What the tasks of a batch need. */
export interface TasksPlan {
  store: Store;
  log: RunnerLog;
  slots: Slots;
  machineSlots: SharedSlots;
  admission: Admission;
  startHold: StartHold;
  /** Nothing where the number of sessions is fixed. */
  pace: AccountPace | undefined;
  holds: AccountHolds;
  login: LoginProof;
  machine: Machine;
  files: OutputFiles;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** Of the variables that tasks give their sessions. */
  values: SessionValues;
  /** No session could start for too long: what is queued will not. */
  giveUpStarting(because: string): void;
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
  reader: TranscriptReader;
  startedAt: number;
  /** What the session is asked; an adopted one has been. */
  prompt?: string;
  adopted: boolean;
  /** Of its conversation, as we asked for it. */
  sessionId: string;
  /** Whether it continues the conversation of the attempt before. */
  resumes: boolean;
  /** What that, or the conversation that the task named, had cost before. */
  costBefore?: Spent | undefined;
  /** The session has begun, or ended. */
  begun?: () => void;
}

/** What comes after an attempt's end. */
interface Then {
  /** The task is tried again after so long, in milliseconds. */
  delayMs?: number | undefined;
  /** This was waited for too long: what is queued behind it is cancelled. */
  givenUp?: HoldName | undefined;
  /** Without this, the end is of something that nobody wants any more, and is none. */
  counts?: () => boolean;
}

export class Tasks {
  readonly #plan: TasksPlan;
  readonly #sweeper: Sweeper;
  /** The numbers of the tasks that are being carried: running, or waiting for its slot or its retry. */
  readonly #open = new Set<number>();
  /** Resolves when nothing is open: a race of thousands of promises, at each end anew, took hundreds of megabytes. */
  #allClosed = Promise.withResolvers<void>();
  /** Tasks whose time has not come, in the order in which they began to wait. */
  readonly #waiting = new Set<number>();
  /** Attempts that run, by task number. */
  readonly running = new Map<number, RunningAttempt>();
  /** When tasks may be tried again, by the monotonic clock. */
  readonly #dueAt = new Map<number, number>();
  /** By the name of the transcript, which is what a watch calls with. */
  readonly #byTranscript = new Map<string, RunningAttempt>();

  constructor(plan: TasksPlan) {
    this.#plan = plan;
    const { sharedDaemons = [] } = plan.log.state.batch;
    const shared = new SharedDaemons(sharedDaemons);
    this.#sweeper = new Sweeper({ shared, isHeir: plan.log.epoch > 1 });
  }

  /** Takes over the sessions of an earlier runner, with the slots that it held. Once, before anything else. */
  adoptAll(): void {
    const { log, machineSlots, slots } = this.#plan;
    // Adopted sessions run already, whatever the ceiling is now; so they need not wait for their slots.
    const inherited = machineSlots.inherit();
    for (const { number, status } of [...log.state.tasks]) {
      if (status !== "running") continue;
      const id = inherited.pop() ?? machineSlots.force();
      this.#begin(number, this.#adopt(number, slots.adopt(id)));
    }
    for (const id of inherited) machineSlots.release(id);
  }

  /** Carries everything that is queued. Resolves when nothing is open any more. */
  async carryAll(): Promise<void> {
    const { log, admission } = this.#plan;
    for (const { number, status } of [...log.state.tasks]) {
      if (status !== "queued" || this.#open.has(number)) continue;
      const admitted = await admission.admit(number);
      // Cancelled and asked for again while it waited here: then somebody carries it already.
      if (this.#open.has(number)) admitted?.[Symbol.dispose]();
      else this.#begin(number, this.#carry(number, admitted));
    }
    while (this.#open.size > 0) {
      this.#allClosed = Promise.withResolvers();
      await this.#allClosed.promise;
    }
  }

  /** Tells why nothing runs, where that is a hold of the models that are left. */
  tellHold(): void {
    if (this.running.size > 0) return;
    for (const number of this.#waiting) if (this.#plan.admission.tellHold(number)) return;
  }

  /** Begins tasks again that a retry has queued while the batch runs. */
  beginAgain(numbers: readonly number[]): void {
    const { files } = this.#plan;
    void files.forget(numbers);
    for (const number of numbers) {
      // Some may have ended again before we heard of it.
      void files.task(number);
      if (this.#open.has(number) || !this.#isQueued(number)) continue;
      this.#begin(number, this.#carry(number, undefined));
    }
  }

  /** When a task may be tried again, by the monotonic clock; nothing where its delay began before this runner. */
  dueAt(number: number): number | undefined {
    return this.#dueAt.get(number);
  }

  /** Something happened to a transcript. */
  look(transcript: string): void {
    this.#byTranscript.get(transcript)?.look();
  }

  /** Ends sessions for whose memory there is no room; their tasks go on from there later. */
  giveWay(numbers: readonly number[]): void {
    for (const number of numbers) this.running.get(number)?.giveWay();
  }

  /** Ends the daemons that sessions have shared, once none runs any more. */
  async endShared(): Promise<void> {
    const { batch, tasks, copiedAt = 0 } = this.#plan.log.state;
    await this.#sweeper.sweepShared(() =>
      tasks.flatMap(({ number, attempts }) =>
        attempts
          .filter(({ startedAt }) => startedAt > copiedAt)
          .map((one) => markerOf(batch.batchId, number, one.number, one.sessionId)),
      ),
    );
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
    this.#open.add(number);
    // Whoever waits for all of them is woken by the last one; a failure goes to the runner.
    void task.then(
      () => {
        this.#open.delete(number);
        // Asked for again in the very moment in which it ended.
        if (this.#isQueued(number)) this.beginAgain([number]);
        if (this.#open.size === 0) this.#allClosed.resolve();
      },
      (error) => this.#plan.failed(error),
    );
  }

  // Attempt by attempt, until the task has ended. A task that waits for its retry holds no slot.
  async #carry(number: number, first: Admitted | undefined): Promise<void> {
    for (let admitted = first; ; admitted = await this.#plan.admission.admit(number)) {
      {
        using admission = admitted;
        if (admission) await this.#start(number, admission);
      }
      await this.#untilDue(number);
      if (!this.#isQueued(number)) return;
    }
  }

  async #adopt(number: number, slot: Slot): Promise<void> {
    const { batch } = this.#plan.log.state;
    const last = taskOf(this.#plan.log.state, number).attempts.at(-1);
    if (!last) throw new Error(`Internal error: task ${number} runs without an attempt`);
    const { number: attempt, identity, sessionId, transcript, startedAt, resumes, costBefore } = last;
    const session = adoptSession(identity, markerOf(batch.batchId, number, attempt, sessionId));
    this.#sweeper.began(session.marker, identity);
    const options = optionsOf(batch, number);
    this.#plan.holds.adopt(number, options.model, startedAt);
    {
      using _slot = slot;
      const known = { number, attempt, sessionId, resumes, transcript, startedAt, costBefore };
      const carried = { ...known, session, options, adopted: true };
      const reader = readerOf(transcript);
      if (reader) await this.#see({ ...carried, reader });
      else await this.#endUnread(carried);
    }
    await this.#carry(number, undefined);
  }

  // Its transcript was removed while nobody had it open: what the session did, and does, cannot be known.
  async #endUnread(carried: Omit<Carried, "reader">): Promise<void> {
    const { number, attempt, session, sessionId, options, transcript } = carried;
    const { log, environment } = this.#plan;
    await this.#end(session);
    const directory = workingDirectoryOf(log.state.batch, options);
    const end = {
      outcome: {
        kind: "crashed" as const,
        stderrTail: `The transcript ${transcript} was removed while the session ran.`,
      },
      resumable: conversationFile(sessionId, directory, environment) !== undefined,
    };
    await this.#finish(number, attempt, end, { delayMs: this.#delayMs(carried, end, false) });
  }

  async #start(number: number, { begun }: Admitted): Promise<void> {
    const { log, store, environment, values, holds, startHold } = this.#plan;
    const claude = claudeOf(log.state.batch, { thorough: startHold.isLasting });
    if (!claude.found) return this.#startLater(missingText(log.state.batch.claudePath));
    const { layout } = store;
    const plan = planAttempt(log.state, number, { claudePath: claude.path, layout, environment, values });
    const opened = await open(plan);
    // Meanwhile the task may have been cancelled, or given other options; then it is planned anew.
    const isMeant = () => this.#isQueued(number) && isStillMeant(plan, log.state, number);
    if (opened.kind === "task") {
      startHold.release(number);
      const lost = plan.lost ? { lost: [...plan.lost] } : {};
      const outcome = { kind: "not-started" as const, message: opened.message, ...lost };
      await this.#finish(number, 0, { outcome }, { counts: isMeant });
      return;
    }
    if (opened.kind === "passing") return this.#startLater(opened.because);
    startHold.started();
    const { session, reader } = opened;
    this.#sweeper.began(session.marker, session.identity);
    const [started] = await log.commit(() =>
      isMeant() && holds.mayStart(number, plan.options.model) ? [startedEvent(number, plan, session)] : [],
    );
    if (!started) {
      // Cancelled, changed or held between our look and the commit. It has no prompt, so it spends nothing; but what it
      // runs at its start may hang.
      reader[Symbol.dispose]();
      await this.#end(session);
      return;
    }
    const { attempt, sessionId, options, prompt, resumes, costBefore } = plan;
    const { transcript } = plan.session;
    await this.#see({
      number,
      attempt,
      session,
      options,
      transcript,
      reader,
      startedAt: started.at,
      prompt,
      adopted: false,
      sessionId,
      resumes,
      costBefore,
      begun,
    });
  }

  // The task stays queued. The next start that is tried may be its own, or another one's.
  #startLater(because: string): void {
    const { startHold, giveUpStarting } = this.#plan;
    if (startHold.met(because) === "give-up") giveUpStarting(because);
  }

  async #end(session: Session): Promise<void> {
    await terminate(session, Promise.resolve());
    await this.#sweeper.sweep(session);
  }

  // From the prompt to the outcome.
  async #see(carried: Carried): Promise<void> {
    const { number, session, sessionId, resumes, options, transcript, reader, startedAt } = carried;
    const { prompt, adopted, costBefore } = carried;
    const { log, environment, machine, startHold } = this.#plan;
    const running = new RunningAttempt({
      session,
      task: log.state.batch.tasks[number - 1]?.prompt ?? "",
      options,
      reader,
      stderr: stderrBeside(transcript),
      sweeper: this.#sweeper,
      members: () => machine.membersOf(number),
      startedAt,
      adopted,
      continues: resumes ? sessionId : undefined,
      costBefore,
      workingDirectory: workingDirectoryOf(log.state.batch, options),
      environment,
      heard: (signs) => this.#heard(carried, signs),
    });
    this.running.set(number, running);
    this.#byTranscript.set(basename(transcript), running);
    machine.began(number, session.identity, configurationOf(log.state.batch, options));
    if (prompt !== undefined) running.prompt(prompt);
    // What it has written before we came, no watch will tell.
    if (adopted) running.look();
    this.endCancelled();
    const end = await running.ended();
    this.running.delete(number);
    this.#byTranscript.delete(basename(transcript));
    machine.ended(number);
    startHold.ended();
    const verdict = this.#plan.holds.ended(
      { number, model: options.model, outcome: end.outcome },
      Date.now(),
    );
    await this.#finish(number, carried.attempt, end, {
      delayMs: this.#delayMs(carried, end, verdict.kind === "held"),
      givenUp: verdict.kind === "given-up" ? verdict.hold : undefined,
    });
  }

  #heard({ number, begun, options }: Carried, signs: Signs): void {
    const { pace, login, holds } = this.#plan;
    const { messages, replies, throttles, loginRefusals, failed } = signs;
    if (loginRefusals > 0 || isLoginFailure(failed)) login.doubted(number);
    if (loginRefusals > 0) {
      holds.refused(number, Date.now());
    }
    if (messages > 0) begun?.();
    if (replies > 0) {
      login.answered();
      holds.answered(number, Date.now());
      pace?.replied(replies);
    }
    if (throttles > 0) this.#throttled();
    // Before the session has gone: until then, others would start and meet the same.
    if (failed) holds.met({ number, model: options.model, outcome: failed }, Date.now());
  }

  #throttled(): void {
    const { pace, slots, machineSlots } = this.#plan;
    pace?.throttled();
    slots.contended = machineSlots.yields();
  }

  // Whether the task is tried again, and after how long.
  #delayMs(
    carried: Omit<Carried, "reader">,
    { outcome, resumable = false }: EndKnown,
    held: boolean,
  ): number | undefined {
    const { number, options, adopted, attempt } = carried;
    const { log } = this.#plan;
    // What was tried before somebody asked for the task again does not count.
    const earlier = attemptsSinceAsked(log.state, number).flatMap((one) =>
      one.number < attempt && one.outcome ? [one.outcome] : [],
    );
    // Those of the attempt name the conversation that it continued; the task's own may name another, or none.
    const asked = optionsOf(log.state.batch, number);
    const broken = beginsAnew({ resumes: carried.resumes, resumable, outcome }, asked);
    return retryDelayMs({ outcome, earlier, retries: options.retries, adopted, held, broken });
  }

  // Committed first, then written: the files are named from the time in the log.
  async #finish(number: number, attempt: number, end: EndKnown, then: Then = {}): Promise<void> {
    const { log, files } = this.#plan;
    const { delayMs, givenUp, counts = () => true } = then;
    const delay = givenUp ? undefined : delayMs;
    if (delay === undefined) this.#dueAt.delete(number);
    else this.#dueAt.set(number, performance.now() + delay);
    const committed = await log.commit((state) =>
      counts()
        ? [
            endedEvent(number, attempt, end, delay),
            ...(givenUp ? endOfHeld(state, givenUp, number) : []),
            ...(delay === undefined ? consequenceOf(state, end.outcome.kind, number) : []),
          ]
        : [],
    );
    if (committed.length === 0) return;
    void files.task(number, end);
    this.endCancelled();
  }

  // In short steps, for the task may be cancelled meanwhile.
  async #untilDue(number: number): Promise<void> {
    const { admission } = this.#plan;
    while (this.#isQueued(number) && !admission.isDue(number)) {
      this.#waiting.add(number);
      await Bun.sleep(lookMs);
    }
    this.#waiting.delete(number);
  }

  #isQueued(number: number): boolean {
    return taskOf(this.#plan.log.state, number).status === "queued";
  }
}

type Opened =
  | { kind: "opened"; session: Session; reader: TranscriptReader }
  | { kind: "task"; message: string }
  | { kind: "passing"; because: string };

// The session, and its transcript in our hands: without descriptors for both, it is no start.
async function open({ session: plan, hindrance }: AttemptPlan): Promise<Opened> {
  if (hindrance !== undefined) return { kind: "task", message: hindrance };
  const start = await startSession(plan);
  return start.started
    ? { kind: "opened", session: start.session, reader: start.reader }
    : startVerdict(start, plan);
}

function readerOf(transcript: string): TranscriptReader | undefined {
  return exists(transcript) ? new TranscriptReader(transcript) : undefined;
}

function isLoginFailure(outcome: Outcome | undefined): boolean {
  return outcome?.kind === "failed" && outcome.reason === "auth";
}
