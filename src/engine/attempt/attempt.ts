// Carries one session from its prompt to its outcome, under its clocks.
import { activityOf } from "../../claude/activity.ts";
import { initializeLine, promptLine, stopTaskLine } from "../../claude/arguments.ts";
import type { BackgroundTask } from "../../claude/background.ts";
import { type Ending, type Exit, outcomeOf } from "../../claude/outcome.ts";
import type { Reading } from "../../claude/reading.ts";
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
/** How long an evicted session may take to leave before it is killed, in milliseconds. */
const evictionMs = 200;

/** What an attempt came to. */
export interface AttemptEnd {
  outcome: AttemptOutcome;
  usage: Usage;
  leaked: ProcessIdentity[];
  sessionId?: string;
  model?: string;
  /** Whether another attempt can go on with this conversation. */
  resumable: boolean;
  /** Whether the conversation could have been gone on with, but was not saved. */
  unsaved?: boolean;
  /** What did not go as it was asked for, whatever the outcome. */
  remarks: string[];
  /** What Claude said last; of use where there is no answer. */
  lastText?: string;
  /** The answer, where it was short enough to be kept. */
  text?: string;
}

/** What an attempt is seen through with. */
interface AttemptParts {
  host: Pick<SessionHost, "canResume">;
  /** Its output is closed at the end. */
  session: Session;
  /** What the task says; a continued session is asked something else. */
  task: string;
  options: SessionOptions;
  /** The path of its standard error. */
  stderr: string;
  /** When the attempt began, in milliseconds since 1970. An adopted one began before we did. */
  startedAt: number;
  /** Whether another runner started it: then what the transcript has already is no news. */
  adopted: boolean;
  /** The conversation of an earlier attempt that it continues. */
  continues?: string | undefined;
  /** What the conversation that it goes on with had cost. */
  costBefore?: Spent | undefined;
  workingDirectory: string;
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
  /** What the last result comes to, where it has come since and is an error. The session may go on for long. */
  failed?: Outcome | undefined;
}

const nothingHeard: Signs = { messages: 0, replies: 0, throttles: 0, loginRefusals: 0 };

/** An attempt whose start is in the log. It is looked at whenever its transcript grows, and on every beat. */
export class RunningAttempt {
  readonly #parts: AttemptParts;
  readonly #clocks: AttemptClocks;
  /** Resolves at the next result of any kind, and when there is nothing that could give one. */
  #resultCame = Promise.withResolvers<void>();
  #heard: Signs = nothingHeard;
  #hasLooked = false;
  /** What is asked once the session has taken what goes before it, and has said which agents it has. */
  #prompt: string | undefined;
  #isAsked: boolean;
  #closedAt: number | undefined;
  /** Commands that had their time and were still running. */
  #stopped: BackgroundTask[] = [];
  #ending: Ending | undefined;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.#clocks = new AttemptClocks(parts.options, parts.startedAt);
    this.#isAsked = parts.adopted;
  }

  /** What the session is doing, for people. */
  get activity(): string | undefined {
    return activityOf(this.#reading);
  }

  /** Asks the session. Only after the attempt's start is committed: from here on it costs. */
  prompt(text: string): void {
    const line = initializeLine(this.#parts.options);
    if (line === undefined) {
      this.#ask(text);
      return;
    }
    this.#prompt = text;
    this.#parts.session.write(line);
  }

  #ask(text: string): void {
    this.#isAsked = true;
    this.#parts.session.write(promptLine(text, this.#parts.options, this.#parts.workingDirectory));
  }

  /** Takes in what the transcript has got. */
  look(): void {
    const before = this.#reading.last;
    if (!this.#parts.session.output.read()) return;
    const isHistory = this.#parts.adopted && !this.#hasLooked;
    this.#hasLooked = true;
    this.#clocks.progressed(this.#reading, isHistory);
    this.#tell(isHistory);
    if (this.#reading.last !== before) this.#resultCame.resolve();
    this.#askInitialized();
    this.#closeWhenDone();
  }

  /** Looks at the clocks, and ends the session when one has run out. */
  checkClocks(): void {
    this.#closeWhenDone();
    if (!this.#overdue()) return;
    // The transcript has the last word: of an adopted session nothing may have been read yet, and a runner that was
    // stopped wakes to clocks that went on.
    this.look();
    const ending = this.#overdue();
    if (ending) this.end(ending);
  }

  get #reading(): Reading {
    return this.#parts.session.output.reading;
  }

  #overdue(): Ending | undefined {
    return this.#clocks.overdue(this.#reading, this.#closedAt);
  }

  // As long as stdin is open, the session waits for more, and what it has in the background goes on. An end of input
  // alone does not end a command: 2.1.332 was seen to wait for it for more than 45 s.
  #closeWhenDone(): void {
    if (this.#closedAt !== undefined || !this.#clocks.isDone(this.#reading)) return;
    const { session } = this.#parts;
    this.#closedAt = performance.now();
    this.#stopped = [...this.#reading.background.open.values()];
    for (const { id } of this.#stopped) session.write(stopTaskLine(id));
    session.closeInput();
  }

  // An agent that does not exist is no error to the CLI: it would do the task as somebody else.
  #askInitialized(): void {
    const { agent } = this.#parts.options;
    const { isInitialized, agents } = this.#reading;
    const prompt = this.#prompt;
    if (prompt === undefined || !isInitialized) return;
    this.#prompt = undefined;
    // A version that does not say which there are is believed to have it.
    if (agent === undefined || !agents || agents.includes(agent)) this.#ask(prompt);
    else this.end({ kind: "unknown-agent", asked: agent, available: agents });
  }

  #tell(isHistory: boolean): void {
    const { messages, replies, throttles, loginRefusals, failed } = this.#reading;
    const before = this.#heard;
    this.#heard = { messages, replies, throttles, loginRefusals, failed };
    // A throttle of an hour ago says nothing about the account of today.
    if (isHistory) return;
    this.#parts.heard({
      messages: messages - before.messages,
      replies: replies - before.replies,
      throttles: throttles - before.throttles,
      loginRefusals: loginRefusals - before.loginRefusals,
      failed: failed === before.failed ? undefined : failed,
    });
  }

  /** Ends the session before its time. The first reason stays. */
  end(ending: Ending, graceMs?: number): void {
    if (this.#ending) return;
    this.#ending = ending;
    // A turn that is interrupted has a result, which says what it spent. Where none runs, none will come.
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

  /** Resolves when the session has gone, with all that it started. */
  async ended(): Promise<AttemptEnd> {
    const { session, workingDirectory, options, costBefore, task } = this.#parts;
    const exit = await session.exited;
    const leaked = await session.end();
    using reader = session.output;
    reader.finish();
    this.#tell(this.#parts.adopted && !this.#hasLooked);
    const { reading } = reader;
    const sessionId = reading.last?.session_id ?? reading.init?.session_id;
    const stderr = readTail(this.#parts.stderr, stderrTailBytes);
    const outcome = this.#outcome(exit, stderr);
    return {
      outcome,
      usage: usageOf(reading, this.#clocks.ranMs, costBefore, this.#parts.options),
      leaked,
      ...this.#conversation(sessionId, outcome),
      remarks: remarksOf(reading, { task, options, workingDirectory, stopped: this.#stopped, stderr }),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(reading.init?.model === undefined ? {} : { model: reading.init.model }),
      ...(reading.lastText === undefined ? {} : { lastText: reading.lastText }),
      ...answerText(reading),
    };
  }

  // Without a reply of its own, a session has a conversation only where it continued one.
  #conversation(sessionId: string | undefined, outcome: AttemptOutcome) {
    const { host, continues, workingDirectory } = this.#parts;
    const { replies, isUnsaved } = this.#reading;
    const known = replies > 0 ? sessionId : continues;
    if (known === undefined) return { resumable: false };
    if (isUnsaved) return { resumable: false, unsaved: true };
    const isThere = host.canResume(known, workingDirectory);
    return { resumable: isThere && !isRefused(continues !== undefined, replies, outcome) };
  }

  // Before it leaves by itself, a CLI that lists its background work stops it and lists none (2.1.332).
  #wasAtWork({ code }: Exit): boolean {
    const { isListed, open } = this.#reading.background;
    return isListed && open.size > 0 && code !== 0 && this.#closedAt === undefined && !this.#ending;
  }

  #outcome(exit: Exit, stderr: string): AttemptOutcome {
    const { options } = this.#parts;
    return outcomeOf({
      reading: this.#reading,
      exit,
      ...(this.#ending ? { ending: this.#ending } : {}),
      // Of use only where there is no answer.
      stderrTail: this.#reading.answer ? "" : stderr,
      wasAtWork: this.#wasAtWork(exit),
      structured: options.outputSchema !== undefined,
      slashCommands: options.slashCommands,
      now: Date.now(),
    });
  }
}

// Of several answers, of one over 8 MB, and of one that stands elsewhere, the text is read from the transcript.
function answerText({ answer, earlier }: Reading): { text?: string } {
  const text = answer?.result.result;
  return text === undefined || earlier.length > 0 || text.length !== answer?.textLength ? {} : { text };
}
