// Supervises attempts whose start is in the log: from the prompt to the end, which goes into the log and the files.
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome, Spent } from "../../model/outcome.ts";
import { attemptsSinceAsked, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import { basename } from "../../platform/paths.ts";
import type { HoldName } from "../../store/holds.ts";
import { stderrBeside } from "../../store/layout.ts";
import type { AccountHolds } from "../account/account-holds.ts";
import type { AccountPace } from "../account/account-pace.ts";
import { RunningAttempt, type Signs } from "../attempt/attempt.ts";
import { consequenceOf, type EndKnown, endedEvent, endOfHeld } from "../attempt/attempt-events.ts";
import { beginsAnew } from "../attempt/continuation.ts";
import type { Adopted, Session, SessionHost } from "../attempt/session-host.ts";
import type { OutputFiles } from "../output/output-files.ts";
import type { LoginProof } from "../scheduler/login-proof.ts";
import { retryDelayMs } from "../scheduler/retry.ts";
import type { Slots } from "../scheduler/slots.ts";
import type { StartHold } from "../scheduler/start-hold.ts";
import type { SharedSlots } from "../shared/shared-store.ts";
import type { RunnerLog } from "./runner-log.ts";

/** An attempt that is in the log, and what is needed to supervise it. */
export interface Carried<Of = Session> {
  number: number;
  attempt: number;
  session: Of;
  options: SessionOptions;
  transcript: string;
  workingDirectory: string;
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
  /** Asked inside the commit. If it says no, the task has changed meanwhile, and nothing is written. */
  counts?: () => boolean;
}

export interface AttemptsParts {
  log: RunnerLog;
  host: SessionHost;
  slots: Slots;
  machineSlots: SharedSlots;
  /** Nothing where the number of sessions is fixed. */
  pace: AccountPace | undefined;
  holds: AccountHolds;
  login: LoginProof;
  startHold: StartHold;
  files: OutputFiles;
}

export class Attempts {
  readonly #parts: AttemptsParts;
  /** Those that run, by task number. */
  readonly running = new Map<number, RunningAttempt>();
  /** By the name of the transcript, which is what a watch calls with. */
  readonly #byTranscript = new Map<string, RunningAttempt>();
  /** When tasks may be tried again, by the monotonic clock. */
  readonly #dueAt = new Map<number, number>();

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** When a task may be tried again, by the monotonic clock; nothing where its delay began before this runner. */
  dueAt(number: number): number | undefined {
    return this.#dueAt.get(number);
  }

  /** Something happened to a transcript. */
  look(transcript: string): void {
    this.#byTranscript.get(transcript)?.look();
  }

  /** Ends sessions for whose memory there is no room; their tasks continue from there later. */
  evict(numbers: readonly number[]): void {
    for (const number of numbers) this.running.get(number)?.evict();
  }

  /** Ends what somebody has cancelled. */
  endCancelled(): void {
    for (const [number, attempt] of this.running) {
      const task = taskOf(this.#parts.log.state, number);
      if (task.status === "running" && task.cancelling)
        attempt.end({ kind: "cancelled", by: task.cancelling });
    }
  }

  /** From the prompt to the end of an attempt, in log and files. */
  async supervise(carried: Carried): Promise<void> {
    const { number, attempt, transcript, options } = carried;
    const { startHold, holds } = this.#parts;
    const running = this.#runningOf(carried);
    this.running.set(number, running);
    this.#byTranscript.set(basename(transcript), running);
    if (carried.prompt !== undefined) running.prompt(carried.prompt);
    // What it has written before we came, no watch will tell.
    if (carried.adopted) running.look();
    this.endCancelled();
    const end = await running.ended();
    this.running.delete(number);
    this.#byTranscript.delete(basename(transcript));
    startHold.ended();
    const verdict = holds.ended({ number, model: options.model, outcome: end.outcome }, Date.now());
    await this.conclude(number, attempt, end, {
      delayMs: this.#delayMs(carried, end, verdict.kind === "held"),
      givenUp: verdict.kind === "given-up" ? verdict.hold : undefined,
    });
  }

  /** Ends an attempt whose transcript was removed while nobody had it open: what its session did cannot be known. */
  async endUnread(carried: Carried<Adopted>): Promise<void> {
    const { number, attempt, session, sessionId, transcript, workingDirectory } = carried;
    await session.end();
    const end = {
      outcome: {
        kind: "crashed" as const,
        stderrTail: `The transcript ${transcript} was removed while the session ran.`,
      },
      resumable: this.#parts.host.canResume(sessionId, workingDirectory),
    };
    await this.conclude(number, attempt, end, { delayMs: this.#delayMs(carried, end, false) });
  }

  /** Writes the end of an attempt: into the log first, for the files are named from the time in it. */
  async conclude(number: number, attempt: number, end: EndKnown, then: Then = {}): Promise<void> {
    const { log, files } = this.#parts;
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

  #runningOf(carried: Carried): RunningAttempt {
    const { number, session, sessionId, resumes, options, transcript, workingDirectory } = carried;
    const { startedAt, adopted, costBefore } = carried;
    const { log, host } = this.#parts;
    return new RunningAttempt({
      host,
      session,
      task: log.state.batch.tasks[number - 1]?.prompt ?? "",
      options,
      stderr: stderrBeside(transcript),
      startedAt,
      adopted,
      continues: resumes ? sessionId : undefined,
      costBefore,
      workingDirectory,
      heard: (signs) => this.#heard(carried, signs),
    });
  }

  #heard({ number, begun, options }: Carried, signs: Signs): void {
    const { pace, login, holds } = this.#parts;
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
    const { pace, slots, machineSlots } = this.#parts;
    pace?.throttled();
    slots.contended = machineSlots.yields();
  }

  // Whether the task is tried again, and after how long.
  #delayMs(
    { number, options, adopted, attempt, resumes }: Carried<unknown>,
    { outcome, resumable = false }: EndKnown,
    held: boolean,
  ): number | undefined {
    const { log } = this.#parts;
    // What was tried before somebody asked for the task again does not count.
    const earlier = attemptsSinceAsked(log.state, number).flatMap((one) =>
      one.number < attempt && one.outcome ? [one.outcome] : [],
    );
    // Those of the attempt name the conversation that it continued; the task's own may name another, or none.
    const asked = optionsOf(log.state.batch, number);
    const broken = beginsAnew({ resumes, resumable, outcome }, asked);
    return retryDelayMs({ outcome, earlier, retries: options.retries, adopted, held, broken });
  }
}

function isLoginFailure(outcome: AttemptOutcome | undefined): boolean {
  return outcome?.kind === "failed" && outcome.reason === "auth";
}
