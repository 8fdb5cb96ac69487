// Supervises attempts whose start is in the log: from the prompt to the end, which goes into the log and the files.
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome, Spent } from "../../model/outcome.ts";
import type { SessionValues } from "../../model/session-values.ts";
import { taskOf } from "../../model/state.ts";
import { type Layout, stderrBeside } from "../../store/layout.ts";
import type { HoldVerdict, TaskHolds } from "../account/account-holds.ts";
import type { AccountPace } from "../account/account-pace.ts";
import { type AttemptEnd, RunningAttempt, type TranscriptDelta } from "../attempt/attempt.ts";
import { cancelHeld, consequencesOf, type EndKnown, endedEvent } from "../attempt/attempt-events.ts";
import type { ReusedSessions } from "../attempt/reused-sessions.ts";
import type { Running } from "../attempt/running.ts";
import type { Adopted, Session, SessionHost, StartPlan } from "../attempt/session-host.ts";
import type { SessionTraces } from "../attempt/session-traces.ts";
import type { BorrowedDirectory } from "../attempt/workspace.ts";
import type { Loss } from "../memory/memory-plan.ts";
import type { OutputFiles } from "../output/output-files.ts";
import type { LoginProof } from "../scheduler/login-proof.ts";
import type { PrefixGroups } from "../scheduler/prefix-groups.ts";
import type { Slots } from "../scheduler/slots.ts";
import type { StartBackoff } from "../scheduler/start-backoff.ts";
import type { SharedSlots } from "../shared/shared-store.ts";
import type { TraceExport } from "../telemetry/trace-export.ts";
import { Checks } from "./checks.ts";
import { delayAfter, RetryTimes } from "./retry-times.ts";
import type { RunnerLog } from "./runner-log.ts";
import { type Found, RunningNow } from "./running-now.ts";
import { type WaitEnd, WaitingSession } from "./waiting-session.ts";

/** An attempt in the log, with what supervising it needs. `Of`: its session, whose transcript may be missing. */
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
  /**
   * The prompt; absent for an adopted session, which has it, or has seen the end of its input and exits: the runner that
   * started it died.
   */
  prompt?: string;
  adopted: boolean;
  /** The requested id of its conversation. */
  sessionId: string;
  /** Whether it continues the previous attempt's conversation. */
  resumes: boolean;
  /** What that conversation, or the one that the task named, had cost before. */
  costBefore?: Spent | undefined;
  /** Where it works; given back when the session has gone. */
  directory: Pick<BorrowedDirectory, "giveBack">;
  /** Called when the session is ready. */
  ready?: () => void;
  /** Called when it is at work on its prompt. */
  begun?: () => void;
  /** How its process was started, unless an earlier runner did that. */
  plan?: StartPlan;
}

type GivenUp = Extract<HoldVerdict, { kind: "given-up" }>;

/** What follows from an attempt's end. */
interface Consequences {
  /** The delay before the task is retried, in milliseconds. */
  delayMs?: number | undefined;
  /** The hold that lasted too long: queued tasks that it affects are cancelled. */
  givenUp?: GivenUp | undefined;
  /** Called inside the commit. If it returns false, the task has changed meanwhile, and nothing is written. */
  isMeant?: () => boolean;
}

export interface AttemptsParts {
  log: RunnerLog;
  layout: Layout;
  host: SessionHost;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** Of the variables that tasks give their sessions. */
  values: SessionValues;
  /** Undefined if no trace is sent. */
  traces?: SessionTraces | undefined;
  /** Hears of each attempt whose end is in the log. */
  traceExport?: Pick<TraceExport, "ended"> | undefined;
  slots: Slots;
  accountSlots: SharedSlots;
  /** Undefined if the number of sessions is fixed. */
  pace: AccountPace | undefined;
  holds: TaskHolds;
  login: LoginProof;
  prefixes: PrefixGroups;
  startBackoff: StartBackoff;
  files: OutputFiles;
  reused: Pick<ReusedSessions, "answered" | "concluded">;
}

export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #running = new RunningNow();
  readonly #checks: Checks;
  readonly #retryTimes = new RetryTimes();

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
    this.#checks = new Checks({
      ...parts,
      running: this.#running,
      progressed: (of, delta) => this.#progressed(of, delta),
    });
  }

  /** What runs at this moment, by task number. */
  get running(): ReadonlyMap<number, Running> {
    return this.#running.byTask;
  }

  /** Resolves when a session that has started may get its prompt, or must not wait for it any longer. */
  async untilTurn(waiting: WaitingSession, found: Found): Promise<WaitEnd> {
    if (waiting.isOver) return waiting.ended;
    using _running = this.#running.add(waiting, found);
    using _listening = this.#parts.prefixes.subscribe(() => waiting.look());
    waiting.readTranscript();
    return await waiting.ended;
  }

  /** What runs elsewhere for a task counts as running here until this is disposed of. */
  add(running: Running, number: number): Disposable {
    return this.#running.add(running, { number });
  }

  /** Ends all sessions that wait for their prompts. */
  endWaiting(): void {
    for (const one of this.#waiting()) one.end();
  }

  /**
   * Ends sessions that wait for their prompts, the youngest first, as far as more run than the batch allows now, or than the
   * account does: with their prompts, they would meet the limit that has just been met.
   */
  giveBack(): void {
    const { pace, slots, accountSlots } = this.#parts;
    const isAccountFull = pace !== undefined && slots.contended;
    if (!isAccountFull && slots.surplus === 0) return;
    const waiting = this.#waiting();
    if (waiting.length === 0) return;
    const tooMany = Math.max(slots.surplus, isAccountFull ? accountSlots.surplus() : 0);
    for (const one of waiting.reverse().slice(0, tooMany)) one.giveBack();
  }

  #waiting(): WaitingSession[] {
    return [...this.running.values()]
      .filter((one) => one instanceof WaitingSession)
      .filter(({ isOver }) => !isOver);
  }

  /**
   * Supervises an attempt from the prompt to the end, in log and files. Throws `Replaced` if another runner has the batch
   * when the attempt ends.
   */
  async supervise(supervised: Supervised): Promise<void> {
    const { number, attempt, options, directory } = supervised;
    const { log, startBackoff, holds, reused } = this.#parts;
    if (supervised.adopted) this.#checks.adopt(supervised);
    const answered = await this.#toItsEnd(supervised);
    startBackoff.ended();
    const verdict = holds.ended({ number, model: options.model, outcome: answered.outcome }, Date.now());
    const end = await this.#checks.verify(supervised, answered);
    await this.#checks.endRest(number);
    const remark = await directory.giveBack(() => this.#isCancelled(number));
    await this.conclude(number, attempt, withRemark(end, remark), {
      delayMs: delayAfter(log.state, supervised, end, { held: verdict.kind === "held" }),
      givenUp: verdict.kind === "given-up" ? verdict : undefined,
    });
    reused.concluded(supervised.marker);
  }

  /**
   * Ends an attempt whose transcript was removed while no runner had it open: what its session did is unknown. Throws
   * `Replaced` like `supervise`.
   */
  async endUnread(supervised: Supervised<Adopted>): Promise<void> {
    const { number, attempt, session, sessionId, transcript, workingDirectory, directory } = supervised;
    const { log, host } = this.#parts;
    this.#checks.adopt(supervised);
    await session.end();
    await this.#checks.endRest(number);
    const end: EndKnown = {
      outcome: {
        kind: "crashed",
        stderrTail: `The transcript ${transcript} was removed while the session ran.`,
      },
      resumable: host.canResume(sessionId, workingDirectory),
    };
    const delayMs = delayAfter(log.state, supervised, end, { held: false });
    const remark = await directory.giveBack(() => this.#isCancelled(number));
    await this.conclude(number, attempt, withRemark(end, remark), { delayMs });
  }

  #isCancelled(number: number): boolean {
    const task = taskOf(this.#parts.log.state, number);
    return task.status !== "running" || task.cancelling !== undefined;
  }

  /**
   * Writes the end of an attempt: first into the log, because file names contain the time in it. Throws `Replaced` if
   * another runner has the batch.
   */
  async conclude(
    number: number,
    attempt: number,
    end: EndKnown,
    consequences: Consequences = {},
  ): Promise<void> {
    const { log, files, traceExport } = this.#parts;
    const { delayMs, givenUp, isMeant = () => true } = consequences;
    const delay = givenUp ? undefined : delayMs;
    this.#retryTimes.set(number, delay);
    const committed = await log.commit((state) =>
      isMeant()
        ? [
            endedEvent(number, attempt, end, delay),
            ...(givenUp ? cancelHeld(state, givenUp, number) : []),
            ...(delay === undefined ? consequencesOf(state, end.outcome, number) : []),
          ]
        : [],
    );
    if (committed.length === 0) return;
    void files.writeTask(number, end);
    traceExport?.ended(number, attempt);
    this.endCancelled();
  }

  /** When a task may be retried, on the monotonic clock; undefined if its delay started before this runner. */
  dueAt(number: number): number | undefined {
    return this.#retryTimes.dueAt(number);
  }

  /** A transcript has changed. */
  transcriptChanged(name: string): void {
    this.#running.withTranscript(name)?.readTranscript();
  }

  /** Ends what runs for cancelled tasks. */
  endCancelled(): void {
    for (const [number, attempt] of this.running) {
      const task = taskOf(this.#parts.log.state, number);
      if (task.status === "running" && task.cancelling)
        attempt.end({ kind: "cancelled", by: task.cancelling });
      // Its session waits for its prompt, which nobody wants any more.
      else if (task.status === "done") attempt.checkClocks();
    }
  }

  /** Ends sessions because memory is short; their tasks continue later. */
  evict(markers: readonly string[]): void {
    for (const marker of markers) this.#running.withMarker(marker)?.evict();
  }

  /** What is lost if the session with this marker is ended; undefined if it cannot be, because nothing knows its task yet. */
  lossOf(marker: string): Loss | undefined {
    const running = this.#running.withMarker(marker);
    if (!running) return undefined;
    return running instanceof WaitingSession ? "nothing" : "work";
  }

  // From its prompt until it and everything that it started have gone.
  async #toItsEnd(supervised: Supervised): Promise<AttemptEnd> {
    const { prompt } = supervised;
    const running = this.#runningOf(supervised);
    using _running = this.#running.add(running, supervised);
    if (prompt !== undefined) running.prompt(prompt);
    // A watch does not report what was written before.
    running.readTranscript();
    this.endCancelled();
    const ended = running.ended();
    const [end] = await Promise.all([ended, this.#noteExit(running, supervised, ended)]);
    return end;
  }

  // At once, because others may wait for its answer: what it left behind is still ended, and its end written.
  async #noteExit(
    running: RunningAttempt,
    { number, session }: Supervised,
    ended: Promise<unknown>,
  ): Promise<void> {
    let isOver = false;
    const over = ended.then(() => {
      isOver = true;
    });
    // Of a process that goes on with another task, everything has been read by then.
    const exited = session.exited.then(() => {
      if (!isOver) running.readTranscript();
    });
    await Promise.race([exited, over]);
    this.#parts.prefixes.ended(number);
  }

  #runningOf(supervised: Supervised): RunningAttempt {
    const { number, session, sessionId, resumes, options, transcript, workingDirectory } = supervised;
    const { startedAt, adopted, costBefore, plan } = supervised;
    const { log, host, reused } = this.#parts;
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
      progressed: (delta) => {
        this.#progressed(supervised, delta);
        this.#noteBeginning(number, delta);
      },
      ...(plan ? { clear: () => reused.answered({ task: number, session, options, plan }) } : {}),
    });
  }

  // After everything else, because it lets others have their prompts.
  #noteBeginning(number: number, { answering, firstCall, failed }: TranscriptDelta): void {
    const { prefixes } = this.#parts;
    if (answering > 0) prefixes.answered(number, { isLong: firstCall?.isLong === true });
    if (failed) prefixes.failed(number);
  }

  #progressed(
    { number, ready, begun, options }: Pick<Supervised, "number" | "ready" | "begun" | "options">,
    delta: TranscriptDelta,
  ): void {
    const { pace, login, holds } = this.#parts;
    const { isReady, hasBegun, replies, answering, throttles, loginRefusals, failed } = delta;
    if (loginRefusals > 0 || isLoginFailure(failed)) login.doubted(number);
    if (loginRefusals > 0) holds.refused(number, Date.now());
    if (isReady) ready?.();
    if (hasBegun) begun?.();
    if (answering > 0) login.answered();
    if (replies > 0) {
      holds.answered(number, Date.now());
      pace?.replied(replies);
    }
    if (throttles > 0) this.#throttled();
    // Before the session has gone: otherwise, others would start meanwhile and fail the same way.
    if (failed) holds.failed({ number, model: options.model, outcome: failed }, Date.now());
  }

  #throttled(): void {
    const { pace, slots, accountSlots } = this.#parts;
    pace?.throttled();
    slots.contended = accountSlots.yields();
    this.giveBack();
  }
}

function withRemark(end: EndKnown, remark: string | undefined): EndKnown {
  return remark === undefined ? end : { ...end, remarks: [...(end.remarks ?? []), remark] };
}

function isLoginFailure(outcome: AttemptOutcome | undefined): boolean {
  return outcome?.kind === "failed" && outcome.reason === "auth";
}
