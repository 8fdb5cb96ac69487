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
import { startsOver } from "../attempt/continuation.ts";
import type { Adopted, Session, SessionHost } from "../attempt/session-host.ts";
import type { OutputFiles } from "../output/output-files.ts";
import type { LoginProof } from "../scheduler/login-proof.ts";
import { retryDelayMs } from "../scheduler/retry.ts";
import type { Slots } from "../scheduler/slots.ts";
import type { StartBackoff } from "../scheduler/start-backoff.ts";
import type { SharedSlots } from "../shared/shared-store.ts";
import type { RunnerLog } from "./runner-log.ts";

/** An attempt in the log, with what supervising it needs. */
export interface Supervised<Of = Session> {
  number: number;
  attempt: number;
  session: Of;
  /** The marker in the environment of the session's processes. */
  marker: string;
  options: SessionOptions;
  transcript: string;
  workingDirectory: string;
  startedAt: number;
  /** The prompt; absent for an adopted session, which has it already. */
  prompt?: string;
  adopted: boolean;
  /** The requested id of its conversation. */
  sessionId: string;
  /** Whether it continues the previous attempt's conversation. */
  resumes: boolean;
  /** What that conversation, or the one that the task named, had cost before. */
  costBefore?: Spent | undefined;
  /** Called when the session is ready. */
  ready?: () => void;
}

/** What happens after an attempt's end. */
interface Then {
  /** The delay before the task is retried, in milliseconds. */
  delayMs?: number | undefined;
  /** The hold that lasted too long: queued tasks that it affects are cancelled. */
  givenUp?: HoldName | undefined;
  /** Called inside the commit. If it returns false, the task has changed meanwhile, and nothing is written. */
  counts?: () => boolean;
}

export interface AttemptsParts {
  log: RunnerLog;
  host: SessionHost;
  slots: Slots;
  machineSlots: SharedSlots;
  /** Undefined if the number of sessions is fixed. */
  pace: AccountPace | undefined;
  holds: AccountHolds;
  login: LoginProof;
  startBackoff: StartBackoff;
  files: OutputFiles;
}

export class Attempts {
  readonly #parts: AttemptsParts;
  /** Running attempts, by task number. */
  readonly running = new Map<number, RunningAttempt>();
  /** By transcript name, which a watch reports. */
  readonly #byTranscript = new Map<string, RunningAttempt>();
  readonly #byMarker = new Map<string, RunningAttempt>();
  /** When tasks may be retried, on the monotonic clock. */
  readonly #dueAt = new Map<number, number>();

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** When a task may be retried, on the monotonic clock; undefined if its delay started before this runner. */
  dueAt(number: number): number | undefined {
    return this.#dueAt.get(number);
  }

  /** A transcript has changed. */
  look(transcript: string): void {
    this.#byTranscript.get(transcript)?.look();
  }

  /** Ends sessions because memory is short; their tasks continue later. */
  evict(markers: readonly string[]): void {
    for (const marker of markers) this.#byMarker.get(marker)?.evict();
  }

  /** Whether the session with this marker can be ended: before its start is in the log, nothing knows its task. */
  canEnd(marker: string): boolean {
    return this.#byMarker.has(marker);
  }

  /** Ends running sessions that were cancelled. */
  endCancelled(): void {
    for (const [number, attempt] of this.running) {
      const task = taskOf(this.#parts.log.state, number);
      if (task.status === "running" && task.cancelling)
        attempt.end({ kind: "cancelled", by: task.cancelling });
    }
  }

  /** Supervises an attempt from the prompt to the end, in log and files. */
  async supervise(supervised: Supervised): Promise<void> {
    const { number, attempt, marker, transcript, options } = supervised;
    const { startBackoff, holds } = this.#parts;
    const running = this.#runningOf(supervised);
    this.running.set(number, running);
    this.#byMarker.set(marker, running);
    this.#byTranscript.set(basename(transcript), running);
    if (supervised.prompt !== undefined) running.prompt(supervised.prompt);
    // A watch does not report what was written before.
    running.look();
    this.endCancelled();
    const end = await running.ended();
    this.running.delete(number);
    this.#byMarker.delete(marker);
    this.#byTranscript.delete(basename(transcript));
    startBackoff.ended();
    const verdict = holds.ended({ number, model: options.model, outcome: end.outcome }, Date.now());
    await this.conclude(number, attempt, end, {
      delayMs: this.#delayMs(supervised, end, verdict.kind === "held"),
      givenUp: verdict.kind === "given-up" ? verdict.hold : undefined,
    });
  }

  /** Ends an attempt whose transcript was removed while no runner had it open: what its session did is unknown. */
  async endUnread(supervised: Supervised<Adopted>): Promise<void> {
    const { number, attempt, session, sessionId, transcript, workingDirectory } = supervised;
    await session.end();
    const end = {
      outcome: {
        kind: "crashed" as const,
        stderrTail: `The transcript ${transcript} was removed while the session ran.`,
      },
      resumable: this.#parts.host.canResume(sessionId, workingDirectory),
    };
    await this.conclude(number, attempt, end, { delayMs: this.#delayMs(supervised, end, false) });
  }

  /** Writes the end of an attempt: first into the log, because file names contain the time in it. */
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

  #runningOf(supervised: Supervised): RunningAttempt {
    const { number, session, sessionId, resumes, options, transcript, workingDirectory } = supervised;
    const { startedAt, adopted, costBefore } = supervised;
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
      heard: (signs) => this.#heard(supervised, signs),
    });
  }

  #heard({ number, ready, options }: Supervised, signs: Signs): void {
    const { pace, login, holds } = this.#parts;
    const { isReady, replies, throttles, loginRefusals, failed } = signs;
    if (loginRefusals > 0 || isLoginFailure(failed)) login.doubted(number);
    if (loginRefusals > 0) {
      holds.refused(number, Date.now());
    }
    if (isReady) ready?.();
    if (replies > 0) {
      login.answered();
      holds.answered(number, Date.now());
      pace?.replied(replies);
    }
    if (throttles > 0) this.#throttled();
    // Before the session has gone: otherwise, others would start meanwhile and fail the same way.
    if (failed) holds.failed({ number, model: options.model, outcome: failed }, Date.now());
  }

  #throttled(): void {
    const { pace, slots, machineSlots } = this.#parts;
    pace?.throttled();
    slots.contended = machineSlots.yields();
  }

  // How long until the task is retried; undefined if it is not.
  #delayMs(
    { number, options, adopted, attempt, resumes }: Supervised<unknown>,
    { outcome, resumable = false }: EndKnown,
    held: boolean,
  ): number | undefined {
    const { log } = this.#parts;
    // Attempts before the last retry request do not count.
    const earlier = attemptsSinceAsked(log.state, number).flatMap((one) =>
      one.number < attempt && one.outcome ? [one.outcome] : [],
    );
    // The attempt's options name the conversation that it continued; the task's own may name another one, or none.
    const asked = optionsOf(log.state.batch, number);
    const broken = startsOver({ resumes, resumable, outcome }, asked);
    return retryDelayMs({ outcome, earlier, retries: options.retries, adopted, held, broken });
  }
}

function isLoginFailure(outcome: AttemptOutcome | undefined): boolean {
  return outcome?.kind === "failed" && outcome.reason === "auth";
}
