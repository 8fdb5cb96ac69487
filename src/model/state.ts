// The state of a batch: a fold over its events. Pages, answers, views and exit codes are functions of it.
import type { ProcessIdentity } from "../platform/process-identity.ts";
import type { CheckResult } from "./checks.ts";
import { withSplitGroups } from "./equal-groups.ts";
import type { Account, Batch, Event, Pause, SpendLimits, SummaryRequest, Task } from "./event.ts";
import type {
  AccessKind,
  AttemptOutcome,
  Canceller,
  FirstCallUsage,
  ModelUsage,
  Outcome,
  Reused,
  Spent,
  Usage,
} from "./outcome.ts";
import type { MissedTasks } from "./reuse.ts";
import { isPaused, sampleAfterReuse } from "./sample.ts";
import { fleetJobOf, hostOf, type SessionRef } from "./session-ref.ts";
import { unreachable } from "./unreachable.ts";
import { sumOf, sumOfFirstCalls, usageOfAll } from "./usage-sum.ts";

/** A session that checks the answer of an attempt. */
export interface CheckSession {
  /** Which of the task's checks; 1-based. */
  check: number;
  identity: SessionRef;
  sessionId: string;
  startName: string;
  transcript: string;
  startedAt: number;
}

/** One attempt at a task. */
export interface Attempt {
  /** 1-based. */
  number: number;
  /** Its session. */
  identity: SessionRef;
  sessionId: string;
  /** The name of its session's start. Absent in older logs. */
  startName?: string;
  transcript: string;
  /** Where its part of the transcript begins, in bytes; absent if at the beginning. */
  offset?: number;
  /** Where that part ends, in bytes; absent if at the end, or while it runs. */
  transcriptEnd?: number;
  /** Where it works; absent in older logs. */
  workingDirectory?: string;
  startedAt: number;
  /** Whether it continues the conversation of the previous attempt. */
  resumes: boolean;
  endedAt?: number;
  outcome?: AttemptOutcome;
  /** Whether another attempt can continue this conversation. */
  resumable?: boolean;
  /** What it had cost by then, if its files are on another machine, and say it. */
  conversationCost?: Spent;
  /** Whether the CLI could not save its conversation. */
  unsaved?: boolean;
  /** Why it starts over although there was a conversation to continue. */
  anewBecause?: string;
  /** What the conversation that it continues had cost before. */
  costBefore?: Spent;
  usage?: Usage;
  /** The sessions that check its answer, in the order of their starts. */
  checkSessions?: CheckSession[];
  /** The worker of a fleet that ran it. */
  worker?: string;
}

/** The state of a task. `number` is 1-based. */
export type TaskState = { number: number; attempts: Attempt[] } & (
  | {
      status: "queued";
      /** When a retry may begin, in milliseconds since 1970. */
      notBefore?: number;
    }
  | { status: "running"; startedAt: number; cancelling?: Canceller }
  | {
      status: "done";
      /** When the last attempt began; absent for a task that never started. */
      startedAt?: number;
      endedAt: number;
      outcome: Outcome;
      usage?: Usage;
      model?: string;
      leaked?: ProcessIdentity[];
      /** What did not go as requested, in sentences. */
      remarks?: string[];
      /** What the checks of the answer found. */
      checks?: CheckResult[];
    }
);
export type DoneTask = Extract<TaskState, { status: "done" }>;

/** How many tasks are in each state; the five add up to the number of tasks. */
export interface Counts {
  queued: number;
  running: number;
  succeeded: number;
  /** Failed, crashed, timed out, unverified or not started. */
  failed: number;
  cancelled: number;
}

/** What was spent, over all attempts. */
export interface Spending {
  /** US dollars and tokens by model id, as far as sessions reported them. */
  byModel: Map<string, ModelUsage>;
  /** US dollars by billed credential, as the CLI names it; `none` is a login. */
  bySource: Map<string, number>;
  /** Costs of the attempts that cost something and were not cut off, ascending. */
  ascending: number[];
  /** What sessions wrote to the cache of the API and took from it in their first calls, if there were any. */
  firstCalls?: FirstCallUsage & { sessions: number };
}

/** What a retry changed: options, and as `appendPrompt` a text that it added to the prompts. */
export interface OptionChange {
  /** Milliseconds since 1970. */
  at: number;
  /** 1-based. */
  tasks: readonly number[];
  options: Readonly<Record<string, unknown>>;
}

/** That somebody has paused a batch. */
export interface Paused extends Pause {
  /** The tasks (1-based) that a retry has asked for since: they run all the same. */
  but: ReadonlySet<number>;
}

export interface BatchState {
  batch: Batch;
  account: Account;
  createdAt: number;
  /** Of the last event. */
  changedAt: number;
  /** When it ended, or paused. */
  endedAt?: number;
  /** The tasks (1-based) that run until it pauses. Undefined without a sample, and once it was continued. */
  sample?: ReadonlySet<number>;
  /** Until somebody continues it, no session starts. */
  paused?: Paused;
  epoch: number;
  runner?: ProcessIdentity;
  /** Whether that one hears of a pause, of another number of sessions and of more tasks. */
  obeysChanges?: boolean;
  /** The epoch whose runner has last taken the batch to its end or pause: it has nothing left to do, though it may live. */
  restedEpoch?: number;
  /** When that was. */
  restedAt?: number;
  /** When the log was copied, if it is a copy. Earlier sessions belong to the original. */
  copiedAt?: number;
  leash?: ProcessIdentity;
  /** Who first requested the end of the whole batch. */
  cancelledBy?: Canceller;
  /** Who last requested the end of tasks, or of all. */
  lastCancelledBy?: Canceller;
  /** Whether `stopWhen` has ended it. What a retry runs afterwards is wanted beyond that. */
  hasFoundEnough?: boolean;
  /** What was missing when a hold last ended tasks. */
  lackedAccess?: AccessKind;
  outputDirectory: string;
  tasks: TaskState[];
  counts: Counts;
  totalCostUsd: number;
  /** No session starts once spent plus expected cost reaches this. */
  budgetUsd?: number;
  /** The operator's budgets, over all batches. */
  spendLimits: SpendLimits;
  /** The budget in force when the batch last stopped at one. A retry may have changed it since. */
  stoppedAtUsd?: number;
  spending: Spending;
  /** Whether a session spent more than it reported. */
  costAtLeast: boolean;
  /** The minimum costs, in US dollars, of attempts that spent more than they reported. */
  unknownCosts: number[];
  /** When tasks had ended before they were retried. Their files from that time are outdated. */
  earlierEnds: Map<number, number[]>;
  /** Options given with retries, oldest first. */
  optionChanges: OptionChange[];
  /** The newest request for a summary. */
  summaryAsked?: SummaryRequest & { round: number };
  /** Result files that could not be written, with the reason, by path. */
  fileFailures: Map<string, string>;
  /** Which tasks had to run although remembered answers were looked for, when that was last done. */
  missed?: MissedTasks[];
}

/** The state after a first event. Anything but `batch-created` is an internal error. */
export function stateFrom(event: Event): BatchState {
  if (event.type !== "batch-created") throw new Error(`Internal error: a log begins with ${event.type}`);
  const { batch, account, leash } = event;
  return {
    batch,
    account,
    createdAt: event.at,
    changedAt: event.at,
    epoch: event.epoch,
    ...(leash ? { leash } : {}),
    outputDirectory: batch.outputDirectory,
    tasks: batch.tasks.map((_, index) => ({ number: index + 1, attempts: [], status: "queued" })),
    counts: { queued: batch.tasks.length, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
    totalCostUsd: 0,
    ...(batch.budgetUsd === undefined ? {} : { budgetUsd: batch.budgetUsd }),
    spendLimits: batch.spendLimits ?? {},
    ...(batch.summarize ? { summaryAsked: { ...batch.summarize, round: 1 } } : {}),
    ...(batch.sample === undefined ? {} : { sample: new Set(batch.sample) }),
    spending: { byModel: new Map(), bySource: new Map(), ascending: [] },
    costAtLeast: false,
    unknownCosts: [],
    earlierEnds: new Map(),
    optionChanges: [],
    fileFailures: new Map(),
  };
}

/** The only place where an event changes the state. Modifies `state` in place, because copying would be quadratic. */
export function apply(state: BatchState, event: Event): void {
  state.changedAt = event.at;
  switch (event.type) {
    case "batch-created":
      throw new Error("Internal error: a batch was created twice");
    case "runner-started":
      state.runner = event.identity;
      if (event.obeysChanges) state.obeysChanges = true;
      else delete state.obeysChanges;
      if (event.copied) state.copiedAt = event.at;
      state.epoch = event.epoch;
      return;
    case "leash-released":
      if (event.leash) state.leash = event.leash;
      else delete state.leash;
      if (event.outputDirectory !== undefined) state.outputDirectory = event.outputDirectory;
      return;
    case "attempt-started": {
      const { attempts } = taskOf(state, event.task);
      const { attempt: number, identity, sessionId, transcript, resumes = false } = event;
      const { anewBecause, costBefore, workingDirectory, startName, offset } = event;
      attempts.push({
        number,
        identity,
        sessionId,
        transcript,
        resumes,
        startedAt: event.at,
        ...(startName === undefined ? {} : { startName }),
        ...(offset === undefined ? {} : { offset }),
        ...(workingDirectory === undefined ? {} : { workingDirectory }),
        ...(anewBecause === undefined ? {} : { anewBecause }),
        ...(costBefore ? { costBefore } : {}),
      });
      place(state, { number: event.task, attempts, status: "running", startedAt: event.at });
      return;
    }
    case "check-started": {
      const { attempts } = taskOf(state, event.task);
      const attempt = attempts.at(-1);
      const { check, identity, sessionId, startName, transcript, at: startedAt } = event;
      const session = { check, identity, sessionId, startName, transcript, startedAt };
      if (attempt) attempt.checkSessions = [...(attempt.checkSessions ?? []), session];
      return;
    }
    case "attempt-ended":
      applyEnd(state, event);
      return;
    case "cancel-requested":
      applyCancel(state, event);
      return;
    case "retry-requested":
      if (event.budgetUsd !== undefined) state.budgetUsd = event.budgetUsd;
      if (event.spendLimits) state.spendLimits = event.spendLimits;
      if (event.account) state.account = event.account;
      applyOptions(state, event);
      applyPause(state, event);
      applyRetry(state, event);
      return;
    case "reuse-checked":
      // The next runners look again, for tasks that have not begun; the sample stays.
      if (state.missed === undefined) resample(state);
      state.missed = event.missed;
      return;
    case "summary-requested":
      applySummaryRequest(state, event);
      return;
    case "tasks-added":
      applyAddition(state, event);
      return;
    case "continue-requested":
      applyContinue(state, event);
      return;
    case "file-failed":
      state.fileFailures.set(event.path, event.message);
      return;
    case "batch-ended":
      // What a retry runs later is wanted.
      delete state.paused;
      state.endedAt = event.at;
      state.restedEpoch = state.epoch;
      state.restedAt = event.at;
      return;
    case "batch-paused":
      state.endedAt = event.at;
      state.restedEpoch = state.epoch;
      state.restedAt = event.at;
      return;
    default:
      unreachable(event);
  }
}

/** Turns one state into another in place, so that all references see the new one. */
export function replaceState(state: BatchState, other: BatchState): void {
  for (const name of Object.keys(state)) Reflect.deleteProperty(state, name);
  Object.assign(state, other);
}

/** The fold of a whole log. Undefined for an empty one. */
export function fold(events: Iterable<Event>): BatchState | undefined {
  let state: BatchState | undefined;
  for (const event of events) {
    if (state) apply(state, event);
    else state = stateFrom(event);
  }
  return state;
}

/** Task `number` (1-based). */
export function taskOf(state: BatchState, number: number): TaskState {
  const task = state.tasks[number - 1];
  if (!task) throw new Error(`Internal error: batch ${state.batch.batchId} has no task ${number}`);
  return task;
}

/** The number of tasks that ended by themselves, without cancelled ones. */
export function completedCount({ succeeded, failed }: Counts): number {
  return succeeded + failed;
}

/** The number of tasks that have ended. */
export function doneCount({ succeeded, failed, cancelled }: Counts): number {
  return succeeded + failed + cancelled;
}

type RetryRequested = Extract<Event, { type: "retry-requested" }>;

function applyEnd(state: BatchState, event: Extract<Event, { type: "attempt-ended" }>): void {
  const before = taskOf(state, event.task);
  const { attempts } = before;
  if (event.outcome.kind === "succeeded" && event.outcome.reused)
    attempts.push(takenOver(event, event.outcome.reused, attempts.length + 1));
  const attempt = attempts.at(-1);
  if (attempt && attempt.number === event.attempt) {
    attempt.endedAt = event.at;
    attempt.outcome = event.outcome;
    if (event.sessionId !== undefined) attempt.sessionId = event.sessionId;
    if (event.resumable) attempt.resumable = true;
    if (event.conversationCost) attempt.conversationCost = event.conversationCost;
    if (event.unsaved) attempt.unsaved = true;
    if (event.transcriptEnd !== undefined) attempt.transcriptEnd = event.transcriptEnd;
    if (event.usage) attempt.usage = event.usage;
    if (event.worker !== undefined) attempt.worker = event.worker;
  }
  state.totalCostUsd += event.usage?.costUsd ?? 0;
  if (event.usage) applySpending(state.spending, event.usage);
  if (event.usage?.atLeast) {
    state.costAtLeast = true;
    state.unknownCosts.push(event.usage.costUsd);
  }
  const cancelling = before.status === "running" ? before.cancelling : undefined;
  const outcome = unlessCancelled(event.outcome, cancelling);
  if (outcome.kind === "evicted" || (event.retryAt !== undefined && !cancelling)) {
    place(state, { number: event.task, attempts, status: "queued", notBefore: event.retryAt ?? event.at });
    return;
  }
  place(state, {
    number: event.task,
    attempts,
    status: "done",
    endedAt: event.at,
    outcome,
    ...(attempt && !isTakenOver(attempt) ? { startedAt: attempt.startedAt } : {}),
    ...usageOfTask(attempts),
    ...(event.model !== undefined ? { model: event.model } : {}),
    ...(event.leaked ? { leaked: event.leaked } : {}),
    ...remarksOf(state, event),
    ...(event.checks ? { checks: event.checks } : {}),
  });
}

/** Where an attempt ran, if not on this machine: a host, or the worker of a fleet, once it is known. */
export function machineOfAttempt(attempt: Attempt): string | undefined {
  const { identity, worker } = attempt;
  return hostOf(identity) ?? worker;
}

/** Where the last attempt at a task ran, if not on this machine. */
export function machineOf({ attempts }: Pick<TaskState, "attempts">): string | undefined {
  const last = attempts.at(-1);
  return last && machineOfAttempt(last);
}

/** The conversation of an attempt, if it can be continued on this machine. */
export function conversationHere(attempt: Attempt | undefined): string | undefined {
  if (!attempt || hostOf(attempt.identity) !== undefined) return undefined;
  return fleetJobOf(attempt.identity) === undefined ? attempt.sessionId : undefined;
}

/** Whether it is the session of another task, whose answer was taken over. */
export function isTakenOver({ identity }: Attempt): boolean {
  return "reused" in identity;
}

// The session whose answer was taken over counts as the task's attempt, so that whatever reads a task's transcript finds
// it. Its process belongs to another batch, and has ended.
function takenOver(
  { at, outcome, usage }: Extract<Event, { type: "attempt-ended" }>,
  { batchId, task, sessionId, transcript, offset, transcriptEnd }: Reused,
  number: number,
): Attempt {
  return {
    number,
    identity: { reused: `${batchId}/${task}` },
    sessionId,
    transcript,
    ...(offset === undefined ? {} : { offset }),
    ...(transcriptEnd === undefined ? {} : { transcriptEnd }),
    startedAt: at,
    endedAt: at,
    resumes: false,
    outcome,
    ...(usage ? { usage } : {}),
  };
}

// Somebody may cancel a task while its session is evicted: then it is not continued.
function unlessCancelled(outcome: AttemptOutcome, cancelling: Canceller | undefined): AttemptOutcome {
  if (outcome.kind !== "evicted" || !cancelling) return outcome;
  return { ...outcome, kind: "cancelled", by: cancelling };
}

// A task's usage is that of all its attempts.
function usageOfTask(attempts: readonly Attempt[]): { usage?: Usage } {
  const usage = usageOfAll(attempts.flatMap((attempt) => attempt.usage ?? []));
  return usage ? { usage } : {};
}

// That an attempt started over is known at its start, and stays true of those that continue it. Other remarks come at its
// end.
function remarksOf(
  state: BatchState,
  { task, remarks = [] }: Extract<Event, { type: "attempt-ended" }>,
): { remarks?: string[] } {
  const anew = attemptsSinceAsked(state, task).flatMap(({ anewBecause }) => anewBecause ?? []);
  return anew.length + remarks.length === 0 ? {} : { remarks: [...anew, ...remarks] };
}

function applySpending(spending: Spending, usage: Usage): void {
  const { byModel, bySource, ascending, firstCalls } = spending;
  if (usage.firstCall) {
    const sum = firstCalls ? sumOfFirstCalls(firstCalls, usage.firstCall) : usage.firstCall;
    spending.firstCalls = { ...sum, sessions: (firstCalls?.sessions ?? 0) + 1 };
  }
  const { costUsd, models = {}, apiKeySource } = usage;
  for (const [model, used] of Object.entries(models)) {
    const before = byModel.get(model);
    byModel.set(model, before ? sumOf(before, used) : used);
  }
  if (costUsd <= 0) return;
  if (apiKeySource !== undefined) bySource.set(apiKeySource, (bySource.get(apiKeySource) ?? 0) + costUsd);
  // A session that was cut off does not show what one costs.
  if (usage.atLeast) return;
  let place = ascending.length;
  while (place > 0 && (ascending[place - 1] ?? 0) > costUsd) place--;
  ascending.splice(place, 0, costUsd);
}

// A queued task is done as soon as it is cancelled. A running one ends once its runner has ended the session.
function applyCancel(state: BatchState, event: Extract<Event, { type: "cancel-requested" }>): void {
  if (isPaused(state)) {
    // A runner writes the files again, and the end. Nobody waits for it any more.
    delete state.endedAt;
    delete state.leash;
    // A retry of the rest after that is what a continuation would have been.
    if (!event.tasks) delete state.sample;
  }
  if (!event.tasks) delete state.paused;
  if (!event.tasks) state.cancelledBy ??= event.by;
  state.lastCancelledBy = event.by;
  if (event.by === "stop-when") state.hasFoundEnough = true;
  const access = event.access === undefined ? {} : { access: event.access };
  if (event.by === "hold") {
    delete state.lackedAccess;
    if (event.access !== undefined) state.lackedAccess = event.access;
  }
  if (event.by === "budget" && state.budgetUsd !== undefined) state.stoppedAtUsd = state.budgetUsd;
  for (const number of event.tasks ?? state.tasks.map((task) => task.number)) {
    const task = taskOf(state, number);
    if (task.status === "running") task.cancelling ??= event.by;
    if (task.status !== "queued") continue;
    const outcome: Outcome = { kind: "cancelled", by: event.by, ...access };
    const { attempts } = task;
    const usage = usageOfTask(attempts);
    place(state, { number, attempts, status: "done", endedAt: event.at, outcome, ...usage });
  }
}

// The rest runs, with or without somebody who waits.
function applyContinue(state: BatchState, event: Extract<Event, { type: "continue-requested" }>): void {
  const { leash, concurrency, budgetUsd, spendLimits, account } = event;
  if (budgetUsd !== undefined) state.budgetUsd = budgetUsd;
  if (spendLimits) state.spendLimits = spendLimits;
  if (account) state.account = account;
  changeBatch(state, { concurrency });
  // One that was paused while its sample ran runs that first.
  if (!state.paused || isSampleOver(state)) delete state.sample;
  delete state.paused;
  delete state.endedAt;
  if (leash) state.leash = leash;
  else delete state.leash;
}

function isSampleOver({ sample, tasks }: BatchState): boolean {
  return tasks.every(({ number, status }) => status === "done" || !sample?.has(number));
}

function applyPause(state: BatchState, { pause }: RetryRequested): void {
  if (pause === undefined) return;
  if (pause) state.paused = { ...pause, but: new Set() };
  else delete state.paused;
}

// Of tasks whose answers are remembered, nothing is learned.
function resample(state: BatchState): void {
  const sample = sampleAfterReuse(state);
  if (sample) state.sample = sample;
  else delete state.sample;
}

function changeBatch(
  state: BatchState,
  { concurrency, failureMode }: Pick<RetryRequested, "concurrency" | "failureMode">,
): void {
  if (concurrency === undefined && failureMode === undefined) return;
  state.batch = {
    ...state.batch,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(failureMode === undefined ? {} : { failureMode }),
  };
}

// Options given with a retry belong to the tasks from then on.
function applyOptions(state: BatchState, event: RetryRequested): void {
  const { options, changed = [], appendPrompt, concurrency, failureMode, at } = event;
  changeBatch(state, { concurrency, failureMode });
  if ((!options && appendPrompt === undefined) || changed.length === 0) return;
  const numbers = new Set(changed);
  const tasks = state.batch.tasks.map((task, index) => {
    if (!numbers.has(index + 1)) return task;
    const own = options ? { ...task, options: { ...task.options, ...options } } : task;
    return appendPrompt === undefined ? own : withAppended(own, appendPrompt);
  });
  state.batch = { ...state.batch, tasks: withSplitGroups(tasks, numbers) };
  state.optionChanges.push({
    at,
    tasks: changed,
    options: { ...options, ...(appendPrompt === undefined ? {} : { appendPrompt }) },
  });
  if (options && beginsAnother(options)) for (const number of changed) startOver(state, number);
}

/** A task with a text at the end of its prompt, as a retry adds it. */
export function withAppended(task: Task, text: string): Task {
  const more = `\n\n${text}`;
  return { ...task, prompt: `${task.prompt}${more}`, appended: (task.appended ?? 0) + more.length };
}

// Keeps successes that were not named explicitly. An ended batch runs again, without the process that waited for it.
function applyRetry(state: BatchState, { tasks, succeeded = [], sampled = [] }: RetryRequested): void {
  const numbers = [...tasks, ...succeeded];
  // Only the budget changed, or options of tasks that wait.
  if (numbers.length === 0) return;
  if (state.sample) state.sample = new Set([...state.sample, ...sampled]);
  const { paused } = state;
  if (paused) state.paused = { ...paused, but: new Set([...paused.but, ...numbers]) };
  runAgain(state);
  for (const number of succeeded) startOver(state, number);
  for (const task of numbers.map((number) => taskOf(state, number))) {
    if (task.status !== "done" || !(canRetry(task) || succeeded.includes(task.number))) continue;
    state.earlierEnds.set(task.number, [...(state.earlierEnds.get(task.number) ?? []), task.endedAt]);
    place(state, { number: task.number, attempts: task.attempts, status: "queued" });
  }
}

// As with a retry, the batch runs again, without the process that waited for it.
function applySummaryRequest(state: BatchState, event: Extract<Event, { type: "summary-requested" }>): void {
  const { text, groups, model, account, budgetUsd, spendLimits } = event;
  const round = (state.summaryAsked?.round ?? 0) + 1;
  state.summaryAsked = {
    text,
    round,
    ...(groups === undefined ? {} : { groups }),
    ...(model === undefined ? {} : { model }),
  };
  if (account) state.account = account;
  if (budgetUsd !== undefined) state.budgetUsd = budgetUsd;
  if (spendLimits) state.spendLimits = spendLimits;
  runAgain(state);
}

function applyAddition(state: BatchState, { tasks }: Extract<Event, { type: "tasks-added" }>): void {
  const { batch } = state;
  const isSummary = tasks.every(({ summary }) => summary !== undefined);
  // All others have ended.
  if (isSummary) delete state.sample;
  const givenAtFirst = batch.givenAtFirst ?? batch.tasks.length;
  // A new list: what others derive from it, they keep by its identity.
  state.batch = { ...batch, tasks: [...batch.tasks, ...tasks], ...(isSummary ? {} : { givenAtFirst }) };
  for (const _ of tasks) state.tasks.push({ number: state.tasks.length + 1, attempts: [], status: "queued" });
  state.counts.queued += tasks.length;
}

function runAgain(state: BatchState): void {
  delete state.endedAt;
  delete state.cancelledBy;
  delete state.leash;
}

/**
 * Whether a task with these options cannot continue the conversation that was cut off: they change the directory or name
 * another conversation.
 */
function beginsAnother(options: Readonly<Record<string, unknown>>): boolean {
  return ["workingDirectory", "resumeSessionId", "forkSession"].some((name) => name in options);
}

// The next attempt begins a conversation of its own.
function startOver(state: BatchState, number: number): void {
  delete taskOf(state, number).attempts.at(-1)?.resumable;
}

/** The attempts at a task since its last retry request; `number` is 1-based. */
export function attemptsSinceAsked({ tasks, earlierEnds }: BatchState, number: number): readonly Attempt[] {
  const askedAgainAt = earlierEnds.get(number)?.at(-1) ?? 0;
  return (tasks[number - 1]?.attempts ?? []).filter(({ startedAt }) => startedAt >= askedAgainAt);
}

/** Whether a task has ended without success. */
export function canRetry(task: TaskState): boolean {
  return task.status === "done" && task.outcome.kind !== "succeeded";
}

function place(state: BatchState, task: TaskState): void {
  state.counts[countOf(taskOf(state, task.number))]--;
  state.counts[countOf(task)]++;
  state.tasks[task.number - 1] = task;
}

/** Among which of the counts a task is. */
export function countOf(task: TaskState): keyof Counts {
  if (task.status !== "done") return task.status;
  const { kind } = task.outcome;
  return kind === "succeeded" || kind === "cancelled" ? kind : "failed";
}
