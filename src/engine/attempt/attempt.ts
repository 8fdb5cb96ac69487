// Runs one session from its prompt to its outcome, under its clocks.
import { activityOf } from "../../claude/activity.ts";
import { promptLine, schemaOf, stopTaskLine, waitsForInitialize } from "../../claude/arguments.ts";
import type { BackgroundTask } from "../../claude/background.ts";
import type { Clearing } from "../../claude/clearing.ts";
import { firstCallOf } from "../../claude/first-call.ts";
import { type Ending, type Exit, outcomeOf } from "../../claude/outcome.ts";
import type { FirstCall, Reading } from "../../claude/reading.ts";
import { remarksOf } from "../../claude/remarks.ts";
import { usageOf } from "../../claude/usage.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome, Outcome, Spent, Usage } from "../../model/outcome.ts";
import { readTail } from "../../platform/files.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { AttemptClocks } from "./attempt-clocks.ts";
import { isRefused } from "./continuation.ts";
import type { Session, SessionHost } from "./session-host.ts";

const stderrTailBytes = 4_000;
const goesOnThere =
  "Its machine could not be reached after it was cancelled, so its session may go on there until its work is done.";
/** How long an evicted session may take to exit before it is killed, in milliseconds. */
const evictionMs = 200;

/** How an attempt ended. */
export interface AttemptEnd {
  outcome: AttemptOutcome;
  usage: Usage;
  leaked: ProcessIdentity[];
  sessionId?: string;
  model?: string;
  /** Whether another attempt can continue this conversation. */
  resumable: boolean;
  /** What that had cost by then, if its files are on another machine, and say it. */
  conversationCost?: Spent;
  /** Whether the conversation could be continued if it had been saved. */
  unsaved?: boolean;
  /** Where its part of the transcript ends, in bytes, if another conversation begins behind it. */
  transcriptEnd?: number;
  /** What did not go as requested, whatever the outcome. */
  remarks: string[];
  /** What Claude said last, for use if there is no answer. */
  lastText?: string;
  /** The answer, if it is short enough to keep in memory. */
  text?: string;
}

/** What supervising an attempt needs. */
interface AttemptParts {
  host: Pick<SessionHost, "canResume" | "costOf">;
  /** Its output is closed at the end. */
  session: Session;
  /** The task's prompt. A session that continues gets another one. */
  task: string;
  options: SessionOptions;
  /** The path of its standard error. */
  stderr: string;
  /** When the attempt started, in milliseconds since 1970. An adopted one did before this runner. */
  startedAt: number;
  /** Whether another runner started it: then the existing transcript is not news. */
  adopted: boolean;
  /** The conversation of an earlier attempt that it continues. */
  continues?: string | undefined;
  /** What the conversation that it continues had cost. */
  costBefore?: Spent | undefined;
  workingDirectory: string;
  /** Called whenever the transcript contains something new. */
  progressed(delta: TranscriptDelta): void;
  /** Called when nothing more is expected: has the process forget the conversation, unless it must end with the attempt. */
  clear?(): Clearing | undefined;
}

/** What is new in a transcript since the last look. */
export interface TranscriptDelta {
  /** Whether the session is ready: it has answered `initialize`, or said anything else. */
  isReady: boolean;
  /** Whether it is at work on its prompt. What hooks say at its start is no sign of that. */
  hasBegun: boolean;
  /** Messages written by a model. */
  replies: number;
  /** How often a model was seen to begin or go on answering. */
  answering: number;
  /** What the session's first call took from the cache of the API and wrote there. */
  firstCall?: FirstCall | undefined;
  /** Calls that the API refused because of too many calls. */
  throttles: number;
  /** Calls that it refused because of the login. */
  loginRefusals: number;
  /** The outcome of the last result, if it is new and an error. The session may continue for long. */
  failed?: Outcome | undefined;
}

const nothing: TranscriptDelta = {
  isReady: false,
  hasBegun: false,
  replies: 0,
  answering: 0,
  throttles: 0,
  loginRefusals: 0,
};

/** An attempt whose start is in the log. Checked whenever its transcript grows, and on every beat. */
export class RunningAttempt {
  readonly #parts: AttemptParts;
  readonly #clocks: AttemptClocks;
  /** The prompt, until the session has processed what precedes it and has listed its agents. */
  #prompt: string | undefined;
  #isAsked: boolean;
  #hasRead = false;
  /** What was reported of the transcript, from its beginning. */
  #reported: TranscriptDelta = nothing;
  /** Resolves at the next result of any kind, or when none can come any more. */
  #resultCame = Promise.withResolvers<void>();
  /** When its input was closed, on the monotonic clock. */
  #closedAt: number | undefined;
  /** Commands that were still running when their time was over. */
  #stopped: BackgroundTask[] = [];
  #ending: Ending | undefined;
  /** While the process forgets the conversation, for another task. */
  #clearing: Clearing | undefined;
  /** Where in the transcript what it says then begins, in bytes. */
  #clearedAt: number | undefined;
  /** Resolves when it has, and the session is not ours any more. */
  readonly #cleared = Promise.withResolvers<"cleared">();

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.#clocks = new AttemptClocks(parts.options, parts.startedAt);
    this.#isAsked = parts.adopted;
  }

  /** What the session is doing, for people. */
  get activity(): string | undefined {
    return this.#parts.session.trouble?.() ?? activityOf(this.#reading);
  }

  /** Sends the prompt. Only after the attempt's start is committed, because from here on it costs money. */
  prompt(text: string): void {
    this.#prompt = text;
    this.#askWhenReady();
  }

  /** Reads what is new in the transcript. */
  readTranscript(): void {
    // What comes now is not about this attempt: the next one reads on.
    if (this.#clearing) {
      this.#clearing.read();
      return;
    }
    const before = this.#reading.last;
    if (!this.#parts.session.output.read()) return;
    const isHistory = this.#parts.adopted && !this.#hasRead;
    this.#hasRead = true;
    this.#clocks.progressed(this.#reading, isHistory);
    this.#reportProgress(isHistory);
    if (this.#reading.last !== before) this.#resultCame.resolve();
    this.#askWhenReady();
    this.#closeWhenDone();
  }

  /** Checks the clocks, and ends the session if one has run out. */
  checkClocks(): void {
    if (this.#clearing) {
      this.#clearing.read();
      return;
    }
    // What it has said meanwhile may not be here yet.
    if (this.#parts.session.isCurrent?.() === false) return;
    this.#closeWhenDone();
    if (!this.#overdue()) return;
    // Read the transcript first: an adopted session may be unread, and a runner that was stopped resumes with expired
    // clocks.
    this.readTranscript();
    const ending = this.#overdue();
    if (ending) this.end(ending);
  }

  /** Ends the session early. The first reason stays. */
  end(ending: Ending, graceMs?: number): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#clearing?.abandon();
    // An interrupted turn has a result, which reports what it spent. Without a turn there will be none.
    const { turnIsOpen, answer } = this.#reading;
    this.#resultCame = Promise.withResolvers();
    if (!this.#isAsked || (answer && !turnIsOpen)) this.#resultCame.resolve();
    void this.#parts.session.end({
      answered: this.#resultCame.promise,
      ...(graceMs === undefined ? {} : { graceMs }),
    });
  }

  /** Ends the session at once, because the machine has no memory left for it. Its task continues later. */
  evict(): void {
    this.end({ kind: "evicted" }, evictionMs);
  }

  /**
   * Resolves when the session and everything that it started have gone, or its process can run another task. Call once: it
   * closes the transcript.
   */
  async ended(): Promise<AttemptEnd> {
    const { session, workingDirectory, options, costBefore, task } = this.#parts;
    const exited = await Promise.race([session.exited, this.#cleared.promise]);
    const [exit, leaked] = exited === "cleared" ? [{ code: 0 }, []] : [exited, await session.end()];
    using reader = session.output;
    // Reads no further than to where the next conversation begins.
    reader.finish();
    this.#reportProgress(this.#parts.adopted && !this.#hasRead);
    const { reading } = reader;
    // Before 2.1.330, no line says that it is reset.
    const transcriptEnd = reading.resetAt ?? (exited === "cleared" ? this.#clearedAt : undefined);
    const sessionId = reading.last?.session_id ?? reading.init?.session_id;
    const stderr = readTail(this.#parts.stderr, stderrTailBytes);
    const outcome = this.#outcome(exit, stderr);
    const usage = this.#withFirstCall(usageOf(reading, this.#clocks.ranMs, costBefore, options));
    // It may have worked on, whatever has come of it here.
    const isCutOff = session.isGivenUp?.() === true && !reading.answer;
    return {
      outcome,
      usage: isCutOff ? { ...usage, atLeast: true } : usage,
      leaked,
      ...this.#conversation(sessionId, outcome),
      remarks: [
        ...remarksOf(reading, { task, options, workingDirectory, stopped: this.#stopped, stderr }),
        ...(outcome.kind === "cancelled" && session.isLost?.() ? [goesOnThere] : []),
      ],
      ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(reading.init?.model === undefined ? {} : { model: reading.init.model }),
      ...(reading.lastText === undefined ? {} : { lastText: reading.lastText }),
      ...answerText(reading),
    };
  }

  // What one that continues a conversation reads from the cache may be that conversation.
  #withFirstCall(usage: Usage): Usage {
    const { continues, options } = this.#parts;
    if (continues !== undefined || options.resumeSessionId !== undefined) return usage;
    const firstCall = firstCallOf(this.#reading, usage.models);
    return { ...usage, ...(firstCall ? { firstCall } : {}) };
  }

  get #reading(): Reading {
    return this.#parts.session.output.reading;
  }

  // For the CLI, an unknown agent is no error: it would do the task without that agent.
  #askWhenReady(): void {
    const { options } = this.#parts;
    const { agent } = options;
    const { isInitialized, agents } = this.#reading;
    const prompt = this.#prompt;
    if (prompt === undefined || (!isInitialized && waitsForInitialize(options))) return;
    this.#prompt = undefined;
    // A version that does not list its agents is assumed to have it.
    if (agent === undefined || !agents || agents.includes(agent)) this.#ask(prompt);
    else this.end({ kind: "unknown-agent", asked: agent, available: agents });
  }

  #ask(text: string): void {
    this.#isAsked = true;
    this.#parts.session.write(promptLine(text, this.#parts.options, this.#parts.workingDirectory));
  }

  #reportProgress(isHistory: boolean): void {
    const { isInitialized, messages, replies, answering, throttles, loginRefusals, failed } = this.#reading;
    const { init, last } = this.#reading;
    const before = this.#reported;
    const isReady = isInitialized || messages > 0;
    const hasBegun = init !== undefined || answering > 0 || last !== undefined;
    this.#reported = { isReady, hasBegun, replies, answering, throttles, loginRefusals, failed };
    // An hour-old throttle says nothing about the account now.
    if (isHistory) return;
    this.#parts.progressed({
      isReady,
      hasBegun,
      replies: replies - before.replies,
      answering: answering - before.answering,
      firstCall: this.#reading.firstCall,
      throttles: throttles - before.throttles,
      loginRefusals: loginRefusals - before.loginRefusals,
      failed: failed === before.failed ? undefined : failed,
    });
  }

  // While stdin is open, the session waits for more, and its background work continues. Closing it does not end a
  // command: 2.1.332 was seen to wait more than 45 s for one.
  #closeWhenDone(): void {
    if (this.#closedAt !== undefined || this.#clearing || !this.#clocks.isDone(this.#reading)) return;
    if (!this.#clear()) this.#close();
  }

  // Whether its process forgets the conversation now. If that fails, it ends like any other.
  #clear(): boolean {
    const { adopted, clear, session } = this.#parts;
    const { end } = session.output;
    const clearing = adopted || this.#ending ? undefined : clear?.();
    if (!clearing) return false;
    this.#clearing = clearing;
    this.#clearedAt = end;
    this.#reading.isForgetting = true;
    void clearing.ended.then((cleared) => {
      if (cleared) return this.#cleared.resolve("cleared");
      this.#clearing = undefined;
      this.#close();
    });
    return true;
  }

  #close(): void {
    const { session } = this.#parts;
    this.#closedAt = performance.now();
    this.#stopped = [...this.#reading.background.open.values()];
    for (const { id } of this.#stopped) session.write(stopTaskLine(id));
    session.closeInput();
  }

  #overdue(): Ending | undefined {
    return this.#clocks.overdue(this.#reading, this.#closedAt);
  }

  #outcome(exit: Exit, stderr: string): AttemptOutcome {
    const { options, session } = this.#parts;
    const outcome = outcomeOf({
      reading: this.#reading,
      exit,
      ...(this.#ending ? { ending: this.#ending } : {}),
      // For use only if there is no answer.
      stderrTail: this.#reading.answer ? "" : stderr,
      wasAtWork: this.#wasAtWork(exit),
      structured: options.outputSchema !== undefined,
      schema: schemaOf(options),
      slashCommands: options.slashCommands,
      now: Date.now(),
    });
    return outcome.kind === "crashed" && session.isLost?.() ? { ...outcome, lost: true } : outcome;
  }

  // Before it exits by itself, a CLI that lists its background work stops it and lists none (2.1.332).
  #wasAtWork({ code }: Exit): boolean {
    const { isListed, open } = this.#reading.background;
    return isListed && open.size > 0 && code !== 0 && this.#closedAt === undefined && !this.#ending;
  }

  // Without a reply of its own, a session has a conversation only if it continued one.
  #conversation(sessionId: string | undefined, outcome: AttemptOutcome) {
    const { host, continues, workingDirectory } = this.#parts;
    const { replies, isUnsaved } = this.#reading;
    const known = replies > 0 ? sessionId : continues;
    if (known === undefined) return { resumable: false };
    if (isUnsaved) return { resumable: false, unsaved: true };
    const isThere = host.canResume(known, workingDirectory);
    const resumable = isThere && !isRefused(continues !== undefined, replies, outcome);
    const cost = resumable ? host.costOf?.(known) : undefined;
    return { resumable, ...(cost ? { conversationCost: cost } : {}) };
  }
}

// The text is read from the transcript if there are several answers, one over 8 MB, or one stored in another message.
function answerText({ answer, earlier }: Reading): { text?: string } {
  const text = answer?.result.result;
  return text === undefined || earlier.length > 0 || text.length !== answer?.textLength ? {} : { text };
}
