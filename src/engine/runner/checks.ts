// Checks the answer of an attempt before its end goes into the log. A runner that follows one which died in between reads
// the answer from the transcript again, has ended the command of a check with the attempt and starts it anew, and adopts
// the session of a question: nothing is paid for twice.
import { questionPrompt, verdictIn, verdictSchema } from "../../claude/follow-up.ts";
import { askedBy, type Check, type CheckResult, checksOf, longestOutput } from "../../model/checks.ts";
import { filledWords } from "../../model/command-template.ts";
import { cut } from "../../model/cut.ts";
import { type SessionOptions, sessionOptions } from "../../model/options.ts";
import type { AttemptOutcome, Success, Usage } from "../../model/outcome.ts";
import { type SessionValues, variableNames, variablesOf } from "../../model/session-values.ts";
import { type Attempt, type CheckSession, taskOf } from "../../model/state.ts";
import { usageOfAll } from "../../model/usage-sum.ts";
import { clock } from "../../platform/clock.ts";
import { joined } from "../../platform/environment.ts";
import { programNamed } from "../../platform/program.ts";
import { messageOf } from "../../platform/system-error.ts";
import { outcomeText } from "../../report/outcome-text.ts";
import { type Layout, stderrBeside } from "../../store/layout.ts";
import type { TaskHolds } from "../account/account-holds.ts";
import { type AttemptEnd, RunningAttempt, type TranscriptDelta } from "../attempt/attempt.ts";
import type { EndKnown } from "../attempt/attempt-events.ts";
import { answerIn, type CheckedAnswer, checkPattern, checkSchema, isMatch } from "../attempt/check-answer.ts";
import { claudeOf } from "../attempt/claude-of.ts";
import { startPlan } from "../attempt/plan-attempt.ts";
import type { Running } from "../attempt/running.ts";
import { RunningCommand } from "../attempt/running-command.ts";
import type { Adopted, Away, Session, SessionHost, StartPlan } from "../attempt/session-host.ts";
import { markerOf, newStartName } from "../attempt/session-name.ts";
import type { SessionTraces } from "../attempt/session-traces.ts";
import { missingText } from "../attempt/start-failure.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import { retryDelayMs } from "../scheduler/retry.ts";
import type { RunnerLog } from "./runner-log.ts";
import type { RunningNow } from "./running-now.ts";

/** How often to try to start a session that something keeps from starting; a second passes before the next try. */
const mostStarts = 60;
/** How often a command is run again whose end nobody saw. */
const mostUnseen = 2;

export interface ChecksParts {
  log: RunnerLog;
  host: SessionHost;
  layout: Layout;
  holds: TaskHolds;
  /** What runs for the tasks. */
  running: RunningNow;
  /** Of all sessions. */
  environment: Record<string, string>;
  /** Of the variables that tasks give their sessions. */
  values: SessionValues;
  /** Undefined if no trace is sent. */
  traces?: SessionTraces | undefined;
  /** Called whenever the transcript of a question's session contains something new. */
  progressed(of: { number: number; options: SessionOptions }, delta: TranscriptDelta): void;
}

/** An attempt whose session has gone. */
interface Answered {
  number: number;
  attempt: number;
  options: SessionOptions;
  /** The marker of its processes. */
  marker: string;
  transcript: string;
  workingDirectory: string;
}

/** One check of its answer. */
interface Asked extends Answered {
  answer: CheckedAnswer;
  /** Which of the task's checks; 1-based. */
  index: number;
}

/** What a check found, and what it cost. Without a result, the task was cancelled meanwhile. */
interface Made {
  result?: CheckResult | undefined;
  usages: Usage[];
  /** Why nobody will know: its machine was given up. In words for people. */
  lost?: string | undefined;
}

/** How a command went. "unseen": nobody saw how it ended. "away", "lost": its machine is waited for, or was given up. */
type CommandRun =
  | { kind: "done"; result: CheckResult | undefined }
  | { kind: "unseen"; result: CheckResult | undefined }
  | { kind: "away" }
  | { kind: "lost"; because: string };

/** How the session of a question ended. */
interface Judged {
  outcome: AttemptOutcome;
  usage?: Usage | undefined;
  /** Whether an earlier runner started it. */
  adopted: boolean;
  /** Whether it holds the account, or its model. */
  held: boolean;
}

type QuestionCheck = Extract<Check, { kind: "question" }>;
type CommandCheck = Extract<Check, { kind: "command" }>;

export class Checks {
  readonly #parts: ChecksParts;
  /** Sessions of questions that an earlier runner started, by the names of their starts, until they are asked for. */
  readonly #adopted = new Map<string, Adopted>();

  constructor(parts: ChecksParts) {
    this.#parts = parts;
  }

  /**
   * Takes over the sessions that an earlier runner had started for the questions about an attempt. Call before anything of
   * the attempt ends: what nobody has would count as left behind by it.
   */
  adopt({ number, options }: Pick<Answered, "number" | "options">): void {
    const checks = checksOf(options.expect);
    for (const session of this.#last(number)?.checkSessions ?? []) {
      const check = checks[session.check - 1];
      if (check?.kind !== "question") continue;
      this.#adopted.set(session.startName, this.#adoptOne(session, questionOptions(check, options)));
    }
  }

  /** Ends the sessions of those that nobody has asked for. Call when an attempt has ended, whatever its outcome. */
  async endRest(number: number): Promise<void> {
    for (const { startName } of this.#last(number)?.checkSessions ?? []) {
      const session = this.#adopted.get(startName);
      this.#adopted.delete(startName);
      session?.output?.[Symbol.dispose]();
      await session?.end();
    }
  }

  #adoptOne({ identity, startName, transcript }: CheckSession, options: SessionOptions): Adopted {
    const { host, log } = this.#parts;
    const { batch } = log.state;
    const need = { footprintKey: footprintKey(batch, options) };
    return host.adopt({ ref: identity, marker: markerOf(batch.batchId, startName), transcript, ...need });
  }

  #last(number: number): Attempt | undefined {
    return taskOf(this.#parts.log.state, number).attempts.at(-1);
  }

  /** The end of an attempt, after all checks of its answer. The first that does not pass decides. */
  async verify(answered: Answered, end: AttemptEnd): Promise<EndKnown> {
    const { outcome } = end;
    if (outcome.kind !== "succeeded") return end;
    const where = this.#parts.log.state.batch.stopWhen?.where;
    const checks = checksOf(answered.options.expect);
    if (checks.length === 0 && !where) return end;
    const answer = answerIn(answered.transcript, outcome, end.text);
    const results: CheckResult[] = [];
    const usages: Usage[] = [];
    for (const [index, check] of checks.entries()) {
      const made = await this.#make(check, { ...answered, answer, index: index + 1 });
      usages.push(...made.usages);
      if (made.lost !== undefined)
        return { ...end, ...lostWith(outcome, made.lost), ...together(end, usages) };
      if (!made.result) return { ...end, ...this.#cancelled(answered, outcome), ...together(end, usages) };
      results.push(made.result);
      if (!made.result.passed) break;
    }
    const failed = results.find(({ passed }) => !passed);
    const passed = where ? { ...outcome, matched: isMatch(where, answer) } : outcome;
    return {
      ...end,
      outcome: failed ? { kind: "unverified", check: failed, answer: outcome } : passed,
      ...together(end, usages),
      checks: results,
    };
  }

  async #make(check: Check, asked: Asked): Promise<Made> {
    if (this.#isCancelling(asked.number)) return { usages: [] };
    try {
      switch (check.kind) {
        case "pattern":
          return { result: checkPattern(check.pattern, asked.answer), usages: [] };
        case "schema":
          return { result: checkSchema(check.schema, asked.answer), usages: [] };
        case "command":
          return { usages: [], ...(await this.#run(check, asked)) };
        case "question":
          return await this.#ask(check, asked);
      }
    } catch (error) {
      // A schema can refer to something that only a certain answer reaches.
      if (check.kind !== "schema") throw error;
      return { result: broken(check, messageOf(error)), usages: [] };
    }
  }

  #cancelled({ number }: Answered, { offset }: Success): { outcome: AttemptOutcome } {
    const task = taskOf(this.#parts.log.state, number);
    const by = (task.status === "running" ? task.cancelling : undefined) ?? "user";
    return { outcome: { kind: "cancelled", by, interimOffsets: [offset] } };
  }

  #isCancelling(number: number): boolean {
    const task = taskOf(this.#parts.log.state, number);
    return task.status === "running" && task.cancelling !== undefined;
  }

  async #run(check: CommandCheck, asked: Asked): Promise<Omit<Made, "usages">> {
    for (let unseen = 0; ; ) {
      const run = await this.#runOnce(check, asked);
      if (run.kind === "lost") return { lost: run.because };
      if (run.kind === "done") return { result: run.result };
      if (this.#isCancelling(asked.number)) return {};
      if (run.kind === "away") await clock.next("second");
      else if (++unseen > mostUnseen) return { result: run.result };
    }
  }

  // Under the marker of the attempt: a runner that follows ends it by adopting the attempt, and then starts it anew.
  async #runOnce(check: CommandCheck, asked: Asked): Promise<CommandRun> {
    const { log, host, layout, running, environment } = this.#parts;
    const { number, options, marker, workingDirectory } = asked;
    const { batch } = log.state;
    const [name = "", ...rest] = filledWords(check.command, batch.tasks[number - 1]?.values ?? {});
    // On another machine, it is looked up there.
    const program = batch.hosts ? name : programNamed(name, workingDirectory, environment["PATH"]);
    const failed = (because: string): CommandRun => ({ kind: "done", result: broken(check, because) });
    if (program === undefined) return failed(`There is no program ${name} that could be run.`);
    const startName = newStartName();
    const transcript = layout.transcript(batch.batchId, startName);
    const stderr = stderrBeside(transcript);
    const plan: StartPlan = {
      startName,
      sessionId: "",
      initialize: "",
      command: [program, ...rest],
      workingDirectory,
      environment: joined([environment, this.#variables(number, options)]),
      variables: this.#variables(number, options),
      isProgram: true,
      marker,
      transcript,
      stderr,
    };
    const start = await host.start(plan, { footprintKey: `check ${program}` });
    if (!start.started) {
      const because = start.kind === "task" ? start.message : start.because;
      const away = start.kind === "passing" ? start.away : undefined;
      if (away === "given-up") return { kind: "lost", because };
      return away ? { kind: "away" } : failed(`The command could not be started: ${because}`);
    }
    // What it prints is no conversation.
    start.session.output[Symbol.dispose]();
    const { command, timeoutSeconds } = check;
    const { session } = start;
    const one = new RunningCommand({ command, session, stdout: transcript, stderr, timeoutSeconds });
    using _running = running.add(one, { number });
    // It may have been cancelled while this one started.
    if (this.#isCancelling(number)) one.end();
    const result = await one.result();
    if (one.isLost) return { kind: "away" };
    return { kind: one.isUnseen && batch.hosts ? "unseen" : "done", result };
  }

  async #ask(check: QuestionCheck, asked: Asked): Promise<Made> {
    const options = questionOptions(check, asked.options);
    const ended: Judged[] = [];
    for (const session of this.#earlierSessions(asked))
      ended.push(await this.#adopt(session, asked, options));
    for (let starts = 0; ; ) {
      const usages = ended.flatMap(({ usage }) => usage ?? []);
      const last = ended.at(-1);
      const result = last && resultOf(check, last.outcome);
      if (result || this.#isCancelling(asked.number)) return { result, usages };
      const delayMs = last ? delayAfter(ended, asked.options.retries) : 0;
      if (delayMs === undefined) return { result: broken(check, unjudged(last?.outcome)), usages };
      if (!(await this.#untilDue(asked.number, options.model, delayMs))) return { usages };
      const begun = await this.#start(check, asked, options);
      if (begun.started) ended.push(begun.judged);
      else if (begun.away === "given-up") return { usages, lost: begun.because };
      else if (begun.away) await clock.next("second");
      else if (begun.kind === "task" || ++starts >= mostStarts)
        return { result: broken(check, begun.because), usages };
      else await clock.next("second");
    }
  }

  // False if the task is cancelled meanwhile.
  async #untilDue(number: number, model: string | undefined, delayMs: number): Promise<boolean> {
    const { holds } = this.#parts;
    const dueAt = performance.now() + delayMs;
    const isFree = () =>
      holds.stopping(model, Date.now(), number) === undefined && holds.claim(number, model, Date.now());
    while (performance.now() < dueAt || !isFree()) {
      await clock.next("beat");
      if (this.#isCancelling(number)) return false;
    }
    return true;
  }

  async #start(
    { question }: QuestionCheck,
    asked: Asked,
    options: SessionOptions,
  ): Promise<
    | { started: true; judged: Judged }
    | { started: false; kind: "task" | "passing"; because: string; away?: Away | undefined }
  > {
    const { log, host, layout, holds, environment, values, traces } = this.#parts;
    const { number, workingDirectory, answer } = asked;
    const { batch } = log.state;
    const claude = claudeOf(batch, { thorough: false });
    if (!claude.found) {
      holds.release(number);
      return { started: false, kind: "passing", because: missingText(batch.claudePath) };
    }
    const task = batch.tasks[number - 1]?.prompt ?? "";
    const fence = crypto.randomUUID().slice(0, 8);
    const prompt = questionPrompt({ question, task, answer: answer.text, fence });
    const checked = this.#last(number);
    const traceparent = traces && checked ? () => traces.ofAttempt(number, checked) : undefined;
    const means = { claudePath: claude.path, workingDirectory, layout, environment, values, traceparent };
    const variables = this.#variables(number, asked.options);
    const plan = startPlan(batch.batchId, { prompt, options, variables }, means);
    const start = await host.start(plan, { footprintKey: footprintKey(batch, options) });
    if (!start.started) {
      holds.release(number);
      const because = start.kind === "task" ? start.message : start.because;
      const away = start.kind === "passing" ? start.away : undefined;
      return { started: false, kind: start.kind, because, away };
    }
    const { session } = start;
    await this.#commitStart(asked, plan, session);
    const { sessionId, marker, transcript } = plan;
    const startedAt = Date.now();
    const judging = { session, sessionId, marker, transcript, startedAt, prompt, adopted: false };
    return { started: true, judged: await this.#supervise(judging, asked, options) };
  }

  // It has no prompt yet, so it has spent nothing.
  async #commitStart(
    { number, attempt, index }: Asked,
    { sessionId, startName, transcript }: StartPlan,
    session: Session,
  ): Promise<void> {
    const ids = { task: number, attempt, check: index, identity: session.ref };
    let isCommitted = false;
    try {
      await this.#parts.log.commit(() => [
        { type: "check-started", ...ids, sessionId, startName, transcript },
      ]);
      isCommitted = true;
    } finally {
      if (!isCommitted) {
        session.output[Symbol.dispose]();
        await session.end();
      }
    }
  }

  async #adopt(of: CheckSession, asked: Asked, options: SessionOptions): Promise<Judged> {
    const { log, holds } = this.#parts;
    const { sessionId, startName, transcript, startedAt } = of;
    const marker = markerOf(log.state.batch.batchId, startName);
    const session = this.#adopted.get(startName) ?? this.#adoptOne(of, options);
    this.#adopted.delete(startName);
    holds.adopt(asked.number, options.model, startedAt);
    if (session.output)
      return await this.#supervise(
        { session, sessionId, marker, transcript, startedAt, adopted: true },
        asked,
        options,
      );
    await session.end();
    holds.release(asked.number);
    const stderrTail = `The transcript ${transcript} was removed.`;
    return { outcome: { kind: "crashed", stderrTail }, adopted: true, held: false };
  }

  async #supervise(
    judging: {
      session: Session;
      sessionId: string;
      marker: string;
      transcript: string;
      startedAt: number;
      prompt?: string;
      adopted: boolean;
    },
    asked: Asked,
    options: SessionOptions,
  ): Promise<Judged> {
    const { host, holds, running, progressed } = this.#parts;
    const { session, marker, transcript, startedAt, prompt, adopted } = judging;
    const { number, workingDirectory } = asked;
    const one = new RunningAttempt({
      host,
      session,
      task: prompt ?? "",
      options,
      stderr: stderrBeside(transcript),
      startedAt,
      adopted,
      workingDirectory,
      progressed: (delta) => progressed({ number, options }, delta),
    });
    using _running = running.add(asCheck(one), { number, transcript, marker });
    if (prompt !== undefined) one.prompt(prompt);
    one.readTranscript();
    const task = taskOf(this.#parts.log.state, number);
    if (task.status === "running" && task.cancelling) one.end({ kind: "cancelled", by: task.cancelling });
    const { outcome, usage } = await one.ended();
    const verdict = holds.ended({ number, model: options.model, outcome }, Date.now());
    return { outcome, usage, adopted, held: verdict.kind === "held" };
  }

  #earlierSessions({ number, attempt, index }: Asked): readonly CheckSession[] {
    const last = this.#last(number);
    if (last?.number !== attempt) return [];
    return (last.checkSessions ?? []).filter(({ check }) => check === index);
  }

  // If their values are lost, it does without.
  #variables(number: number, options: SessionOptions): Record<string, string> {
    const own = variablesOf(this.#parts.values, number, variableNames(options.env));
    return own.kind === "known" ? own.variables : {};
  }
}

// The session that judges needs no tools, so that an answer can make it do nothing. What the login may depend on is the
// task's.
function questionOptions(
  { model, timeoutSeconds }: QuestionCheck,
  { settings, settingSources, restricted, env }: SessionOptions,
): SessionOptions {
  return sessionOptions.parse({
    model,
    tools: "",
    outputSchema: verdictSchema,
    fileMentions: false,
    timeoutSeconds,
    restricted,
    ...(settings === undefined ? {} : { settings }),
    ...(settingSources === undefined ? {} : { settingSources }),
    ...(env === undefined ? {} : { env }),
  });
}

function resultOf(check: QuestionCheck, outcome: AttemptOutcome): CheckResult | undefined {
  const said = outcome.kind === "succeeded" ? verdictIn(outcome.structured) : undefined;
  if (!said) return undefined;
  const output = cut(said.reason, longestOutput);
  return { kind: "question", asked: check.question, passed: said.verdict === "yes", output };
}

// The answer is there, but nobody knows whether it would pass: the task runs again.
function lostWith({ offset }: Success, because: string): { outcome: AttemptOutcome } {
  return { outcome: { kind: "crashed", stderrTail: because, lost: true, interimOffsets: [offset] } };
}

function delayAfter(ended: readonly Judged[], retries: number): number | undefined {
  const last = ended.at(-1);
  if (!last) return 0;
  const earlier = ended.slice(0, -1).map(({ outcome }) => outcome);
  const { outcome, adopted, held } = last;
  return retryDelayMs({ outcome, earlier, retries, adopted, held });
}

function unjudged(outcome: AttemptOutcome | undefined): string {
  const why = outcome && outcome.kind !== "evicted" ? `: ${outcomeText(outcome)}` : "";
  return `The session that judges the answer gave no verdict${why}`;
}

function broken(check: Check, output: string): CheckResult {
  return {
    kind: check.kind,
    asked: askedBy(check),
    passed: false,
    output: cut(output, longestOutput),
    broken: true,
  };
}

// The cost of the checks is the attempt's; its turns and its time are those of its own session.
function together({ usage }: AttemptEnd, usages: readonly Usage[]): { usage: Usage } {
  const all = usageOfAll([...usages, usage]);
  return { usage: { ...usage, ...all, numTurns: usage.numTurns } };
}

function asCheck(running: RunningAttempt): Running {
  return {
    activity: "Checks the answer",
    readTranscript: () => running.readTranscript(),
    checkClocks: () => running.checkClocks(),
    end: (ending) => running.end(ending),
    evict: () => running.evict(),
  };
}
