// Carries one session from its prompt to its outcome, under its clocks.
import { promptLine } from "../claude/arguments.ts";
import { canResume } from "../claude/conversation.ts";
import { type Ending, type Exit, outcomeOf } from "../claude/outcome.ts";
import { type Reading, usageOf } from "../claude/reading.ts";
import type { Session } from "../claude/session.ts";
import type { Sweeper } from "../claude/sweep.ts";
import { terminate } from "../claude/terminate.ts";
import { TranscriptReader } from "../claude/transcript.ts";
import type { SessionOptions } from "../model/options.ts";
import type { Clock, Outcome, Usage } from "../model/outcome.ts";
import { readTail } from "../platform/files.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";

/** How long a session may stay after its answer, in milliseconds (product contract). */
const lingerMs = 30_000;
const stderrTailBytes = 4_000;
/** What a session has to say goodbye that must give its memory back, in milliseconds. */
const givingWayMs = 200;

/** What an attempt came to. */
export interface AttemptEnd {
  outcome: Outcome;
  usage: Usage;
  leaked: ProcessIdentity[];
  sessionId?: string;
  model?: string;
  /** Whether another attempt can go on with this conversation. */
  resumable: boolean;
  /** What Claude said last; of use where there is no answer. */
  lastText?: string;
  /** The answer, where it was short enough to be kept. */
  text?: string;
}

interface AttemptPlan {
  session: Session;
  options: SessionOptions;
  transcript: string;
  stderr: string;
  sweeper: Sweeper;
  /** When the attempt began, in milliseconds since 1970. An adopted one began before we did. */
  startedAt: number;
  workingDirectory: string;
  environment: Record<string, string>;
  /** Called whenever the transcript has told something new. */
  heard(signs: Signs): void;
}

/** What a transcript has told since the last look. */
export interface Signs {
  /** Messages of any kind: with the first one, the CLI has started. */
  messages: number;
  /** Messages that a model wrote. */
  replies: number;
  /** Calls that the API refused because there were too many. */
  throttles: number;
  /** Calls that it refused because of the login. */
  loginRefusals: number;
}

/** An attempt whose start is in the log. It is looked at whenever its transcript grows, and on every beat. */
export class RunningAttempt {
  readonly #plan: AttemptPlan;
  readonly #reader: TranscriptReader;
  readonly #answered = Promise.withResolvers<void>();
  // The monotonic clock, so that a clock set back or forth ends nothing.
  readonly #beganAt: number;
  #changedAt: number;
  /** What the CLI had waited for the API until then; the wait that it has begun since is no idleness. */
  #retryDelayBeforeMs = 0;
  #answeredAt: number | undefined;
  #heard: Signs = { messages: 0, replies: 0, throttles: 0, loginRefusals: 0 };
  #ending: Ending | undefined;

  constructor(plan: AttemptPlan) {
    this.#plan = plan;
    this.#reader = new TranscriptReader(plan.transcript);
    this.#beganAt = performance.now() - Math.max(0, Date.now() - plan.startedAt);
    this.#changedAt = performance.now();
  }

  /** What the session is doing, for people. */
  get activity(): string | undefined {
    return this.#reader.reading.activity;
  }

  /** Asks the session. Only after the attempt's start is committed: from here on it costs. */
  prompt(text: string): void {
    this.#plan.session.write(promptLine(text, this.#plan.options));
  }

  /** Takes in what the transcript has got. */
  look(): void {
    const { retryDelayMs } = this.#reader.reading;
    if (!this.#reader.read()) return;
    this.#changedAt = performance.now();
    this.#retryDelayBeforeMs = retryDelayMs;
    this.#tell();
    if (!this.#reader.reading.answer || this.#answeredAt !== undefined) return;
    this.#answeredAt = performance.now();
    this.#answered.resolve();
    this.#plan.session.closeInput();
  }

  /** Looks at the clocks, and ends the session when one has run out. */
  checkClocks(): void {
    if (!this.#overdue()) return;
    // The transcript has the last word: of an adopted session nothing may have been read yet, and a runner that was
    // stopped wakes to clocks that went on.
    this.look();
    const ending = this.#overdue();
    if (ending) this.end(ending);
  }

  #tell(): void {
    const { messages, replies, throttles, loginRefusals } = this.#reader.reading;
    const before = this.#heard;
    this.#heard = { messages, replies, throttles, loginRefusals };
    this.#plan.heard({
      messages: messages - before.messages,
      replies: replies - before.replies,
      throttles: throttles - before.throttles,
      loginRefusals: loginRefusals - before.loginRefusals,
    });
  }

  #overdue(): Ending | undefined {
    const now = performance.now();
    const { options } = this.#plan;
    const { messages, retryDelayMs } = this.#reader.reading;
    if (this.#answeredAt !== undefined)
      return now - this.#answeredAt > lingerMs ? { kind: "lingered", afterMs: lingerMs } : undefined;
    // What the CLI waits between its calls to an API that refuses is not the session's own time.
    const wallMs = now - this.#beganAt - retryDelayMs;
    const idleMs = now - this.#changedAt - (retryDelayMs - this.#retryDelayBeforeMs);
    const timedOut = (clock: Clock, seconds: number): Ending => ({
      kind: "timed-out",
      clock,
      afterMs: seconds * 1000,
    });
    const { firstEventTimeoutSeconds, idleTimeoutSeconds, timeoutSeconds } = options;
    if (messages === 0 && wallMs > firstEventTimeoutSeconds * 1000)
      return timedOut("first-event", firstEventTimeoutSeconds);
    if (wallMs > timeoutSeconds * 1000) return timedOut("wall", timeoutSeconds);
    return idleMs > idleTimeoutSeconds * 1000 ? timedOut("idle", idleTimeoutSeconds) : undefined;
  }

  /** Ends the session before its time. The first reason stays. */
  end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    void terminate(this.#plan.session, this.#answered.promise);
  }

  /** Ends the session at once, for the machine has no memory for it any more. Its task is carried on later. */
  giveWay(): void {
    if (this.#ending) return;
    this.#ending = { kind: "cancelled", by: "memory" };
    void terminate(this.#plan.session, this.#answered.promise, givingWayMs);
  }

  /** Resolves when the session has gone, with all that it started. */
  async ended(): Promise<AttemptEnd> {
    const { session, sweeper, startedAt, workingDirectory, environment } = this.#plan;
    const exit = await session.exited;
    const leaked = await sweeper.sweep(session.marker);
    using reader = this.#reader;
    reader.finish();
    this.#tell();
    const { reading } = reader;
    const sessionId = reading.last?.session_id ?? reading.init?.session_id;
    return {
      outcome: this.#outcome(exit),
      usage: usageOf(reading, Math.max(0, Date.now() - startedAt)),
      leaked,
      // Without a reply there is nothing to go on with.
      resumable:
        sessionId !== undefined && reading.replies > 0 && canResume(sessionId, workingDirectory, environment),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(reading.init?.model === undefined ? {} : { model: reading.init.model }),
      ...(reading.lastText === undefined ? {} : { lastText: reading.lastText }),
      ...answerText(reading),
    };
  }

  #outcome(exit: Exit): Outcome {
    return outcomeOf({
      reading: this.#reader.reading,
      exit,
      ...(this.#ending ? { ending: this.#ending } : {}),
      // Of use only where there is no answer.
      stderrTail: this.#reader.reading.answer ? "" : readTail(this.#plan.stderr, stderrTailBytes),
      structured: this.#plan.options.outputSchema !== undefined,
      now: Date.now(),
    });
  }
}

// Of an answer with others after it, or of one over 8 MB, the text is read from the transcript.
function answerText({ answer, later }: Reading): { text?: string } {
  const text = answer?.result.result;
  return text === undefined || later.length > 0 || text.length !== answer?.textLength ? {} : { text };
}
