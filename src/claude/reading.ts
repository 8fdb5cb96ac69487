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
import type { Refusal } from "./refusals.ts";
import { applyResult, newSpending, type Spending } from "./spending.ts";

/** A result that our prompt caused, and where its text stands. */
export interface Answer {
  result: ResultMessage;
  /** Why a hook did not let the prompt of its turn pass. */
  blockedBy?: string;
  /** Where the line begins that has the text, in bytes: the result's own, or that of an assistant message. */
  offset: number;
  textLength: number;
}

/** Everything that is kept of a transcript while it is read: small, however long the transcript grows. */
export interface Reading {
  /** Lines that were messages. */
  messages: number;
  /** Messages that a model wrote, and not the CLI itself. */
  replies: number;
  /** Lines that were none. */
  otherLines: number;
  init?: InitMessage;
  /** Whether `initialize` was answered, and which agents there are, where the answer says so. */
  isInitialized: boolean;
  agents?: string[];
  /** The last result that our prompt caused. It is the session's answer once nothing goes on any more. */
  answer?: Answer;
  /** Those before it: what was answered while something still went on in the background. */
  earlier: Answer[];
  /** The last result of any kind. */
  last?: ResultMessage;
  /** Results that the CLI counted and did not print. */
  lostResults: number;
  /** Results that another session or a person caused, and not our prompt. */
  foreignResults: number;
  spending: Spending;
  /** Whether a turn has begun that no result has ended yet. */
  turnIsOpen: boolean;
  background: Background;
  /** Agents that were ended while no turn ran: by the CLI's own end, or by somebody from outside. */
  cutAgents: BackgroundTask[];
  /** What Claude has said in the turn that runs: where, and how long. */
  turnText?: { offset: number; length: number };
  /** The `error` of the last synthetic assistant message of the turn. */
  errorKind?: string;
  /** Why a hook did not let the prompt of the turn pass. */
  blockedBy?: string;
  /** Models that took over from others. */
  fallbacks: { from?: string | undefined; to?: string | undefined }[];
  /** Whether the conversation was not saved. */
  isUnsaved: boolean;
  /** What the last result comes to, where it is an error. */
  failed?: Outcome | undefined;
  /** What the last limit event refused; it says nothing of a throttle but that. None after one that allows. */
  limitRejected?: RejectedLimit;
  /** How often the API refused a call because too many were made, or it was overloaded. */
  throttles: number;
  /** How often the API refused the login; the CLI asks again for minutes before it gives up. */
  loginRefusals: number;
  /** How long the CLI waits before it calls the API again, in milliseconds, as it says; 0 while it does not wait. */
  apiWaitMs: number;
  /** The sum of all waits that are over. */
  apiWaitedMs: number;
  /** Calls of tools that gave an error instead of a result, by their ids: the first of them. */
  refusals: Map<string, Refusal>;
  /** What the session is doing, for people. */
  activity?: string;
  /** The end of what Claude said last. */
  lastText?: string;
}

/** Nothing read yet. */
export function newReading(): Reading {
  return {
    messages: 0,
    replies: 0,
    otherLines: 0,
    isInitialized: false,
    earlier: [],
    lostResults: 0,
    foreignResults: 0,
    spending: newSpending(),
    turnIsOpen: false,
    background: newBackground(),
    cutAgents: [],
    fallbacks: [],
    isUnsaved: false,
    throttles: 0,
    loginRefusals: 0,
    apiWaitMs: 0,
    apiWaitedMs: 0,
    refusals: new Map(),
  };
}

/** Takes a line in. `whole` reads a line again that was too long, for the case that its ends do not tell enough. */
export function applyLine(reading: Reading, line: Line, whole?: (line: Line) => Line): void {
  const first = messageFrom(line);
  const message = first.kind === "other" && whole && mayBeResult(line) ? messageFrom(whole(line)) : first;
  if (message.kind === "not-a-message") reading.otherLines++;
  else {
    reading.messages++;
    // Whatever comes ends the wait for the API.
    reading.apiWaitedMs += reading.apiWaitMs;
    reading.apiWaitMs = 0;
  }
  applyMessage(reading, message, line.offset);
}

/** All results that our prompt caused, in their order. */
export function answersOf({ earlier, answer }: Reading): Answer[] {
  return answer ? [...earlier, answer] : earlier;
}

/** Whether the session has answered, no turn runs and no agent works: nothing more will come of it. */
export function isQuiet({ answer, turnIsOpen, background }: Reading): boolean {
  return answer !== undefined && !turnIsOpen && openAgents(background).length === 0;
}

/** Whether the answer is the session's last word: nothing more will come, and nothing was cut off. */
export function isFinal(reading: Reading): boolean {
  return reading.answer !== undefined && !isCutOff(reading);
}

/** Whether a turn or an agent still goes on, or was cut off. */
export function isCutOff({ turnIsOpen, background, cutAgents }: Reading): boolean {
  return turnIsOpen || openAgents(background).length > 0 || cutAgents.length > 0;
}

/**
 * What the CLI says to wait longer is not believed, for no clock would run meanwhile. Its own waits are 40 s at most,
 * and of those that an API asks for it takes none over 60 s.
 */
const longestApiWaitMs = 120_000;
const longestLastText = 4_000;
const mostRefusals = 500;

function applyMessage(reading: Reading, message: Message, offset: number): void {
  switch (message.kind) {
    case "init":
      reading.init = message.init;
      reading.activity = "started";
      beginTurn(reading);
      return;
    case "assistant":
      applyAssistant(reading, message.assistant, offset);
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
  if (error === undefined) reading.replies++;
  else if (isMain) reading.errorKind = error;
  // What an event refused, a subagent's call perhaps, says nothing of a call after this reply.
  if (error === undefined && isMain) delete reading.limitRejected;
  if (isMain) reading.turnIsOpen = true;
  for (const block of message.content) {
    reading.activity = blockText(block, reading.init?.cwd) ?? reading.activity ?? "";
    if (!isMain || block.text === undefined) continue;
    reading.lastText = block.text.slice(-longestLastText);
    if (error === undefined && block.text.trim() !== "")
      reading.turnText = { offset, length: block.text.length };
  }
}

// What a session hears from another one, or from a person at its side, is no answer to our prompt. What Claude
// Code's own events cause in the session is: an agent that has ended, or its own "go on".
const ownOrigins = new Set(["human", "task-notification", "auto-continuation"]);

function applyResultMessage(
  reading: Reading,
  { result, textLength }: Extract<Message, { kind: "result" }>,
  offset: number,
): void {
  const index = result.result_index;
  if (index !== undefined) {
    const expected = reading.foreignResults + reading.lostResults + answersOf(reading).length;
    reading.lostResults += Math.max(0, index - expected);
  }
  applyResult(reading.spending, result);
  reading.last = result;
  reading.failed = result.is_error ? failure(result, reading, Date.now()) : undefined;
  // One that the CLI passes on at once has no `api_retry` before it.
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

// A hook that has the last word leaves the result empty, though Claude has answered before.
function answerFrom({ turnText }: Reading, answer: Answer): Answer {
  const { result } = answer;
  if (!isBlank(answer) || result.is_error || result.structured_output !== undefined || !turnText)
    return answer;
  return { ...answer, offset: turnText.offset, textLength: turnText.length };
}

/** Whether an answer has no text; that of one over 8 MB is not read. */
export function isBlank({ result: { result = "" }, textLength }: Answer): boolean {
  return result.trim() === "" && textLength <= result.length;
}

// An agent that is stopped while a turn runs was stopped by Claude, which then knows of it. After an error, such as a
// budget that is spent, the CLI stops them: the error says enough.
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

// Not the usage limit: that one is final at once, and no call is made again.
function isThrottle({
  error_status,
  error,
}: {
  error_status?: number | null | undefined;
  error?: string | undefined;
}): boolean {
  return error_status === 429 || error_status === 529 || error === "rate_limit" || error === "overloaded";
}
