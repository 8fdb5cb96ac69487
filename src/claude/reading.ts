// What a transcript has said so far.
import { isThrottled, type Outcome } from "../model/outcome.ts";
import { answered, blockText } from "./activity.ts";
import {
  applyBackground,
  type Background,
  type BackgroundTask,
  newBackground,
  openAgents,
  stoppedAgent,
} from "./background.ts";
import { failure } from "./failure.ts";
import type { RejectedLimit } from "./limits.ts";
import type { Line } from "./lines.ts";
import {
  type InitMessage,
  type Message,
  mayBeResult,
  messageFrom,
  type ResultMessage,
  type TaskChange,
} from "./message.ts";
import type { StartingUsage } from "./message-shapes.ts";
import type { Refusal } from "./refusals.ts";
import { applyResult, newSpending, type Spending } from "./spending.ts";

/** A result that our prompt caused, and where its text is. */
export interface Answer {
  result: ResultMessage;
  /** Why a hook blocked the prompt of its turn. */
  blockedBy?: string;
  /** Where the line with the text begins, in bytes: the result's own, or an assistant message's. */
  offset: number;
  textLength: number;
}

/** Tokens of the first call to the API. What it read there, other sessions had written. */
export interface FirstCall {
  cacheRead: number;
  cacheWritten: number;
  /** Whether the cache keeps it for an hour, not for five minutes. */
  isLong: boolean;
}

/** Everything kept from a transcript while reading it: bounded, however long the transcript. */
export interface Reading {
  /** Lines that were messages, except the answer to `initialize`. */
  messages: number;
  /** Messages written by a model, not by the CLI. */
  replies: number;
  /** How often a model was seen to begin or go on answering: a reply may count several times. */
  answering: number;
  /** What the first call to the API took from the cache and wrote there, in tokens. */
  firstCall?: FirstCall;
  /** Lines that were no messages. */
  otherLines: number;
  init?: InitMessage;
  /** The first of them. */
  began?: InitMessage;
  /** Whether `initialize` was answered, and the agents in the answer, if it lists any. */
  isInitialized: boolean;
  agents?: string[];
  /** The last result that our prompt caused. It is the session's answer once nothing runs any more. */
  answer?: Answer;
  /** Earlier ones, given while something still ran in the background. */
  earlier: Answer[];
  /** The last result of any kind. */
  last?: ResultMessage;
  /** The number of the first result, if the process had printed others before; undefined until one is read. */
  firstResult: number | undefined;
  /** Results that the CLI counted but did not print. */
  lostResults: number;
  /** Results that another session or a person caused. */
  foreignResults: number;
  spending: Spending;
  /** Whether a turn has begun without a result yet. */
  turnIsOpen: boolean;
  background: Background;
  /** Agents that ended while no turn ran: because the CLI exited, or from outside. */
  cutAgents: BackgroundTask[];
  /** What Claude has said in the current turn: where, and how long. */
  turnText?: { offset: number; length: number };
  /** The `error` of the last synthetic assistant message of the turn. */
  errorKind?: string;
  /** Why a hook blocked the prompt of the turn. */
  blockedBy?: string;
  /** Switches from one model to another. */
  fallbacks: { from?: string | undefined; to?: string | undefined }[];
  /** Whether the conversation was not saved. */
  isUnsaved: boolean;
  /** The first tool that was called whose effect outlasts a conversation. */
  lastingTool?: string;
  /** Whether a hook was seen. */
  hasHooks: boolean;
  /** Whether `/clear` was sent: of what the process does now, only the cost counts. */
  isForgetting?: boolean;
  /** Where the next conversation of the process begins, in bytes. Nothing from there on counts. */
  resetAt?: number;
  /** The outcome of the last result, if it is an error. */
  failed?: Outcome | undefined;
  /** The limit in the last limit event, if it rejected. Not set by a throttle, and cleared by an event that allows. */
  limitRejected?: RejectedLimit;
  /** How often the API refused a call because of too many calls or overload. */
  throttles: number;
  /** How often the API refused the login. The CLI retries for minutes before it gives up. */
  loginRefusals: number;
  /** How long the CLI says it will wait before its next API call, in milliseconds; 0 while it does not wait. */
  apiWaitMs: number;
  /** The sum of all past waits, in milliseconds. */
  apiWaitedMs: number;
  /** Tool calls that gave an error instead of a result, by id: the first of them. */
  refusals: Map<string, Refusal>;
  /** What the session is doing, for people. */
  activity?: string;
  /** The end of what Claude said last. */
  lastText?: string;
}

/** Where in the output of its process a conversation begins. */
export interface Beginning {
  /** The reading of the conversation before. */
  before: Reading;
  /** The number that its first result will have. */
  firstResult: number | undefined;
}

/** Nothing read yet, of a conversation that is not the first of its process. */
export function nextReading({ before, firstResult }: Beginning): Reading {
  const { isInitialized, agents, background } = before;
  const { isListed } = background;
  return {
    ...newReading(),
    isInitialized,
    ...(agents ? { agents } : {}),
    background: { ...newBackground(), isListed },
    firstResult,
  };
}

/** Nothing read yet. */
export function newReading(): Reading {
  return {
    messages: 0,
    replies: 0,
    answering: 0,
    otherLines: 0,
    isInitialized: false,
    earlier: [],
    firstResult: 0,
    lostResults: 0,
    foreignResults: 0,
    spending: newSpending(),
    turnIsOpen: false,
    background: newBackground(),
    cutAgents: [],
    fallbacks: [],
    isUnsaved: false,
    hasHooks: false,
    throttles: 0,
    loginRefusals: 0,
    apiWaitMs: 0,
    apiWaitedMs: 0,
    refusals: new Map(),
  };
}

/** Applies a line. `whole` reads an oversized line again, in case its ends are not enough. */
export function applyLine(reading: Reading, line: Line, whole?: (line: Line) => Line): void {
  if (reading.resetAt !== undefined) return;
  const first = messageFrom(line);
  const message = first.kind === "other" && whole && mayBeResult(line) ? messageFrom(whole(line)) : first;
  if (message.kind === "not-a-message") reading.otherLines++;
  else {
    // The answer to `initialize` comes before the prompt, and is no output of its turn.
    if (message.kind !== "initialized") reading.messages++;
    // Any line ends the wait for the API.
    reading.apiWaitedMs += reading.apiWaitMs;
    reading.apiWaitMs = 0;
  }
  applyMessage(reading, message, line.offset);
}

/** All results that our prompt caused, in order. */
export function answersOf({ earlier, answer }: Reading): Answer[] {
  return answer ? [...earlier, answer] : earlier;
}

/** Whether the session has answered, and no turn or agent runs: nothing more is expected. */
export function isQuiet({ answer, turnIsOpen, background }: Reading): boolean {
  return answer !== undefined && !turnIsOpen && openAgents(background).length === 0;
}

/** Whether the answer is the session's last word: nothing more is expected, and nothing was cut off. */
export function isFinal(reading: Reading): boolean {
  return reading.answer !== undefined && !isCutOff(reading);
}

/** Whether a turn or an agent still runs, or was cut off. */
export function isCutOff({ turnIsOpen, background, cutAgents }: Reading): boolean {
  return turnIsOpen || openAgents(background).length > 0 || cutAgents.length > 0;
}

/**
 * Longer waits announced by the CLI are ignored, because clocks pause during a wait. Its own waits are 40 s at most, and
 * it accepts at most 60 s from an API.
 */
const longestApiWaitMs = 120_000;
const longestLastText = 4_000;
const mostRefusals = 500;

function applyMessage(reading: Reading, message: Message, offset: number): void {
  if (reading.isForgetting) {
    if (message.kind === "result") applyResult(reading.spending, message.result);
    if (message.kind === "reset") reading.resetAt = offset;
    return;
  }
  switch (message.kind) {
    case "init":
      reading.init = message.init;
      reading.began ??= message.init;
      reading.activity = "started";
      beginTurn(reading);
      return;
    case "assistant":
      applyAssistant(reading, message.assistant, offset);
      return;
    case "reply-start":
      reading.answering++;
      noteFirstCall(reading, message.start.parent_tool_use_id, message.start.event.message.usage);
      return;
    case "api-retry": {
      const { attempt, max_retries, error_status } = message.retry;
      reading.apiWaitMs = Math.min(longestApiWaitMs, Math.max(0, message.retry.retry_delay_ms ?? 0));
      if (isThrottle(message.retry)) reading.throttles++;
      if (message.retry.error === "authentication_failed") reading.loginRefusals++;
      const cause = error_status == null ? "no answer" : `status ${error_status}`;
      reading.activity = `waiting for the API (${cause}, retry ${attempt ?? "?"} of ${max_retries ?? "?"})`;
      return;
    }
    case "rate-limit":
      if (message.info.status === "rejected") reading.limitRejected = rejectedLimit(message.info);
      else delete reading.limitRejected;
      return;
    case "result":
      applyResultMessage(reading, message, offset);
      return;
    case "task":
      noteCutAgent(reading, message.change);
      applyBackground(reading.background, message);
      return;
    case "background":
      applyBackground(reading.background, message);
      return;
    case "model-fallback":
      reading.fallbacks.push({ from: message.from, to: message.to });
      return;
    case "prompt-blocked":
      reading.blockedBy = message.reason ?? "";
      return;
    case "reset":
      // A prompt may be `/clear`. After an answer, it is ours, and the next conversation is another attempt's.
      if (reading.answer) reading.resetAt = offset;
      return;
    case "hook":
      reading.hasHooks = true;
      return;
    case "writes-lost":
      reading.isUnsaved = true;
      return;
    case "initialized":
      reading.isInitialized = true;
      if (message.agents) reading.agents = message.agents;
      return;
    case "refusals":
      for (const refusal of message.refusals)
        if (reading.refusals.size < mostRefusals) reading.refusals.set(refusal.id, refusal);
      return;
    case "other":
    case "not-a-message":
      return;
  }
}

function beginTurn(reading: Reading): void {
  reading.turnIsOpen = true;
  delete reading.errorKind;
  delete reading.turnText;
  delete reading.blockedBy;
}

type Assistant = Extract<Message, { kind: "assistant" }>["assistant"];

function applyAssistant(reading: Reading, { error, parent_tool_use_id, message }: Assistant, offset: number) {
  const isMain = parent_tool_use_id == null;
  if (error === undefined) {
    reading.replies++;
    reading.answering++;
    noteFirstCall(reading, parent_tool_use_id, message.usage);
  } else if (isMain) reading.errorKind = error;
  // An earlier event, perhaps for a subagent's call, does not concern calls after this reply.
  if (error === undefined && isMain) delete reading.limitRejected;
  if (isMain) reading.turnIsOpen = true;
  for (const block of message.content) {
    if (block.name !== undefined && lastingTools.has(block.name)) reading.lastingTool ??= block.name;
    reading.activity = blockText(block, reading.init?.cwd) ?? reading.activity ?? "";
    if (!isMain || block.text === undefined) continue;
    reading.lastText = block.text.slice(-longestLastText);
    if (error === undefined && block.text.trim() !== "")
      reading.turnText = { offset, length: block.text.length };
  }
}

// What they do is seen by the next conversation of the process (2.1.332, `reuse-of-sessions.real.ts`), or may be.
const lastingTools = new Set([
  "CronCreate",
  "CronDelete",
  "EnterPlanMode",
  "EnterWorktree",
  "ExitWorktree",
  "Monitor",
  "ScheduleWakeup",
  "Workflow",
]);

function noteFirstCall(reading: Reading, parent: string | null | undefined, usage: StartingUsage): void {
  if (reading.firstCall || parent != null || !usage) return;
  reading.firstCall = {
    cacheRead: usage.cache_read_input_tokens,
    cacheWritten: usage.cache_creation_input_tokens,
    isLong: (usage.cache_creation?.ephemeral_1h_input_tokens ?? 0) > 0,
  };
}

// Messages from another session or a person do not answer our prompt. Turns that Claude Code's own events cause do: an
// agent that ended, or its own "go on".
const ownOrigins = new Set(["human", "task-notification", "auto-continuation"]);

function applyResultMessage(
  reading: Reading,
  { result, textLength }: Extract<Message, { kind: "result" }>,
  offset: number,
): void {
  const index = result.result_index;
  if (index !== undefined) {
    const seen = reading.foreignResults + reading.lostResults + answersOf(reading).length;
    reading.firstResult ??= index - seen;
    const expected = reading.firstResult + seen;
    reading.lostResults += Math.max(0, index - expected);
  }
  applyResult(reading.spending, result);
  reading.last = result;
  reading.failed = result.is_error ? failure(result, reading, Date.now()) : undefined;
  // The CLI passes some on at once, without an `api_retry` before.
  if (reading.failed && isThrottled(reading.failed)) reading.throttles++;
  reading.turnIsOpen = false;
  reading.activity = answered;
  if (result.origin && !ownOrigins.has(result.origin.kind)) {
    reading.foreignResults++;
    return;
  }
  if (reading.answer) reading.earlier.push(reading.answer);
  const blocked = reading.blockedBy === undefined ? {} : { blockedBy: reading.blockedBy };
  reading.answer = answerFrom(reading, { result, ...blocked, offset, textLength });
}

// A hook can leave the result empty although Claude has answered before.
function answerFrom({ turnText }: Reading, answer: Answer): Answer {
  const { result } = answer;
  if (!isBlank(answer) || result.is_error || result.structured_output !== undefined || !turnText)
    return answer;
  return { ...answer, offset: turnText.offset, textLength: turnText.length };
}

/** Whether an answer has no text. The text of one over 8 MB is not read. */
export function isBlank({ result: { result = "" }, textLength }: Answer): boolean {
  return result.trim() === "" && textLength <= result.length;
}

// An agent stopped during a turn was stopped by Claude, which knows of it. After an error, such as a spent budget, the
// CLI stops agents: the error says enough.
function noteCutAgent(reading: Reading, change: TaskChange): void {
  if (reading.turnIsOpen || reading.answer?.result.is_error) return;
  const agent = stoppedAgent(reading.background, change);
  if (agent && !reading.cutAgents.includes(agent)) reading.cutAgents.push(agent);
}

function rejectedLimit(info: Extract<Message, { kind: "rate-limit" }>["info"]): RejectedLimit {
  const { resetsAt, rateLimitType, overageStatus, overageResetsAt, overageDisabledReason } = info;
  return {
    ...(resetsAt === undefined ? {} : { resetsAt: resetsAt * 1000 }),
    ...(rateLimitType === undefined ? {} : { type: rateLimitType }),
    ...(overageStatus === "rejected" ? { overageRejected: true } : {}),
    ...(overageResetsAt === undefined ? {} : { overageResetsAt: overageResetsAt * 1000 }),
    ...(overageDisabledReason === undefined ? {} : { overageDisabledReason }),
  };
}

// Not the usage limit, which is final at once, without another call.
function isThrottle({
  error_status,
  error,
}: {
  error_status?: number | null | undefined;
  error?: string | undefined;
}): boolean {
  return error_status === 429 || error_status === 529 || error === "rate_limit" || error === "overloaded";
}
