// What a transcript has said so far.
import type { Usage } from "../model/outcome.ts";
import { denialsOf } from "./denials.ts";
import type { Line } from "./lines.ts";
import { type InitMessage, type Message, mayBeResult, messageFrom, type ResultMessage } from "./message.ts";

/** A `result` message and where its line begins, in bytes. */
export interface Answer {
  result: ResultMessage;
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
  /** The last result that answers our prompt. */
  answer?: Answer;
  /** Results that came after background tasks. */
  later: Answer[];
  /** The last result of any kind: what it says of cost is the sum. */
  last?: ResultMessage;
  /** The `error` of the last synthetic assistant message. */
  errorKind?: string;
  /** A usage limit that was hit, with the time of its end in milliseconds since 1970, where it was given. */
  limitRejected?: { resetsAt?: number; type?: string };
  /** How often the API refused a call because too many were made, or it was overloaded. */
  throttles: number;
  /** How often the API refused the login; the CLI asks again for minutes before it gives up. */
  loginRefusals: number;
  /** Time that the CLI has spent, or is about to spend, between its calls to an API that refused, in milliseconds. */
  retryDelayMs: number;
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
    later: [],
    throttles: 0,
    loginRefusals: 0,
    retryDelayMs: 0,
  };
}

/** Takes a line in. `whole` reads a line again that was too long, for the case that its ends do not tell enough. */
export function applyLine(reading: Reading, line: Line, whole?: (line: Line) => Line): void {
  const first = messageFrom(line);
  const message = first.kind === "other" && whole && mayBeResult(line) ? messageFrom(whole(line)) : first;
  if (message.kind === "not-a-message") reading.otherLines++;
  else reading.messages++;
  applyMessage(reading, message, line.offset);
}

const longestActivity = 120;
const longestLastText = 4_000;

function applyMessage(reading: Reading, message: Message, offset: number): void {
  switch (message.kind) {
    case "init":
      reading.init = message.init;
      reading.activity = "started";
      return;
    case "assistant":
      if (message.assistant.error !== undefined) reading.errorKind = message.assistant.error;
      else reading.replies++;
      for (const block of message.assistant.message.content) {
        reading.activity = activityOf(block) ?? reading.activity ?? "";
        if (block.text !== undefined) reading.lastText = block.text.slice(-longestLastText);
      }
      return;
    case "api-retry": {
      const { attempt, max_retries, error_status } = message.retry;
      reading.retryDelayMs += message.retry.retry_delay_ms ?? 0;
      if (isThrottle(message.retry)) reading.throttles++;
      if (message.retry.error === "authentication_failed") reading.loginRefusals++;
      const cause = error_status == null ? "no answer" : `status ${error_status}`;
      reading.activity = `waiting for the API (${cause}, retry ${attempt ?? "?"} of ${max_retries ?? "?"})`;
      return;
    }
    case "rate-limit":
      if (message.info.status === "rejected") {
        const { resetsAt, rateLimitType } = message.info;
        reading.limitRejected = {
          ...(resetsAt === undefined ? {} : { resetsAt: resetsAt * 1000 }),
          ...(rateLimitType === undefined ? {} : { type: rateLimitType }),
        };
      }
      return;
    case "result": {
      const { result, textLength } = message;
      const answer = { result, offset, textLength };
      reading.last = result;
      if (result.origin?.kind === "task-notification") reading.later.push(answer);
      else reading.answer = answer;
      reading.activity = "answered";
      return;
    }
    case "other":
    case "not-a-message":
      return;
  }
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

function activityOf(block: {
  type: string;
  text?: string | undefined;
  name?: string | undefined;
  input?: unknown;
}) {
  if (block.type === "tool_use") return oneLine(`${block.name ?? "tool"} ${subjectOf(block.input)}`);
  if (block.type === "text" && block.text !== undefined) return oneLine(block.text);
  return block.type === "thinking" ? "thinking" : undefined;
}

// The value that tells most: the command, the file, the pattern; else the first string there is.
function subjectOf(input: unknown): string {
  if (typeof input !== "object" || input === null) return "";
  const values = new Map<string, unknown>(Object.entries(input));
  for (const name of ["command", "file_path", "pattern", "url", "query", "description"]) {
    const value = values.get(name);
    if (typeof value === "string") return value;
  }
  return [...values.values()].find((value) => typeof value === "string") ?? "";
}

function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * longestActivity)
    .replace(/\s+/g, " ")
    .trim();
  return line.length > longestActivity ? `${line.slice(0, longestActivity - 1)}…` : line;
}

/** What the session used, from its last result; nothing is known of one that gave none. */
export function usageOf(reading: Reading, durationMs: number): Usage {
  const { last, answer, init } = reading;
  const denials = [...denialsOf(answer?.result), ...reading.later.flatMap(({ result }) => denialsOf(result))];
  const models = Object.entries(last?.modelUsage ?? {}).map(([model, used]) => {
    const { inputTokens: input, outputTokens: output } = used;
    const { cacheReadInputTokens: cacheRead, cacheCreationInputTokens: cacheWritten } = used;
    const cost = used.costUSD === undefined ? {} : { costUsd: used.costUSD };
    return [model, { input, output, cacheRead, cacheWritten, ...cost }] as const;
  });
  return {
    costUsd: last?.total_cost_usd ?? 0,
    // A session that has called the API and then ended without a result has spent something unknown.
    ...(last?.total_cost_usd === undefined && reading.init ? { atLeast: true } : {}),
    numTurns: answer?.result.num_turns ?? 0,
    durationMs,
    ...(models.length > 0 ? { models: Object.fromEntries(models) } : {}),
    ...(init?.apiKeySource === undefined ? {} : { apiKeySource: init.apiKeySource }),
    ...(denials.length > 0 ? { denials } : {}),
  };
}
