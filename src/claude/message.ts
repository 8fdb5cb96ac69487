// The messages of a session that we use, parsed at the border. Everything else is "other": new versions of the CLI add
// types and fields at any time, and that must not cost a result.
import type { z } from "zod";
import { beginOfString, endOfString, parseJson } from "./json-scan.ts";
import type { Line } from "./lines.ts";
import {
  apiRetry,
  assistant,
  backgroundTasks,
  controlResponse,
  init,
  modelFallback,
  type OpenTask,
  promptBlocked,
  rateLimit,
  replyStart,
  result,
  taskChange,
  writesLost,
} from "./message-shapes.ts";
import { type Refusal, refusalsIn } from "./refusals.ts";

export type InitMessage = z.infer<typeof init>;
export type ResultMessage = z.infer<typeof result>;
export type TaskChange = z.infer<typeof taskChange>;
export type Message =
  | { kind: "init"; init: InitMessage }
  | { kind: "assistant"; assistant: z.infer<typeof assistant> }
  /** The API begins to answer. */
  | { kind: "reply-start"; start: z.infer<typeof replyStart> }
  | { kind: "api-retry"; retry: z.infer<typeof apiRetry> }
  | { kind: "rate-limit"; info: z.infer<typeof rateLimit>["rate_limit_info"] }
  /** Tool calls that gave an error instead of a result. */
  | { kind: "refusals"; refusals: Refusal[] }
  | { kind: "result"; result: ResultMessage; textLength: number }
  /** All tasks beside the main turn. Since 2.1.203. */
  | { kind: "background"; tasks: OpenTask[] }
  /** A task beside the main turn began or ended. */
  | { kind: "task"; change: TaskChange }
  | { kind: "model-fallback"; from?: string | undefined; to?: string | undefined }
  /** `/clear` was called: what follows belongs to another conversation. */
  | { kind: "reset" }
  /** A hook runs. The CLI says so of some hooks only. */
  | { kind: "hook" }
  /** A hook of the user's blocked the prompt. */
  | { kind: "prompt-blocked"; reason?: string | undefined }
  /** The conversation could not be saved, so it cannot be continued. */
  | { kind: "writes-lost" }
  /** The answer to `initialize`. */
  | { kind: "initialized"; agents?: string[] | undefined }
  | { kind: "other" }
  | { kind: "not-a-message" };

/** The message in a line of a transcript. Never throws. */
export function messageFrom(line: Line): Message {
  if (line.kind === "oversized") return oversizedResult(line) ?? { kind: "other" };
  const value = parseJson(line.text);
  if (value === undefined) return { kind: "not-a-message" };
  return parsedMessage(value);
}

function parsedMessage(value: unknown): Message {
  switch (wordIn(value, "type")) {
    case "result": {
      const parsed = result.safeParse(value);
      if (!parsed.success) return { kind: "other" };
      return { kind: "result", result: parsed.data, textLength: parsed.data.result?.length ?? 0 };
    }
    case "assistant": {
      const parsed = assistant.safeParse(value);
      return parsed.success ? { kind: "assistant", assistant: parsed.data } : { kind: "other" };
    }
    case "stream_event": {
      // There is one for each word of an answer.
      if (wordIn(fieldIn(value, "event"), "type") !== "message_start") return { kind: "other" };
      const parsed = replyStart.safeParse(value);
      return parsed.success ? { kind: "reply-start", start: parsed.data } : { kind: "other" };
    }
    case "rate_limit_event": {
      const parsed = rateLimit.safeParse(value);
      return parsed.success ? { kind: "rate-limit", info: parsed.data.rate_limit_info } : { kind: "other" };
    }
    case "conversation_reset":
      return { kind: "reset" };
    case "user":
      return { kind: "refusals", refusals: refusalsIn(value) };
    case "system":
      return systemMessage(value, wordIn(value, "subtype"));
    case "control_response": {
      const parsed = controlResponse.safeParse(value);
      if (!parsed.success) return { kind: "other" };
      return { kind: "initialized", agents: parsed.data.response.response?.agents.map(({ name }) => name) };
    }
    default:
      return { kind: "other" };
  }
}

// Looked at in every line, so without a schema.
function wordIn(value: unknown, name: string): string | undefined {
  const field = fieldIn(value, name);
  return typeof field === "string" ? field : undefined;
}

function fieldIn(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function systemMessage(value: unknown, subtype: string | undefined): Message {
  switch (subtype) {
    case "init":
      return { kind: "init", init: init.parse(value) };
    case "api_retry":
      return { kind: "api-retry", retry: apiRetry.parse(value) };
    case "background_tasks_changed": {
      const parsed = backgroundTasks.safeParse(value);
      return parsed.success ? { kind: "background", tasks: parsed.data.tasks } : { kind: "other" };
    }
    case "task_started":
    case "task_updated":
    case "task_notification": {
      const parsed = taskChange.safeParse(value);
      return parsed.success ? { kind: "task", change: parsed.data } : { kind: "other" };
    }
    case "model_fallback": {
      const { original_model: from, fallback_model: to } = modelFallback.parse(value);
      return { kind: "model-fallback", from, to };
    }
    case "hook_started":
      return { kind: "hook" };
    case "session_writes_lost":
      return writesLost.parse(value).lost.includes("transcript")
        ? { kind: "writes-lost" }
        : { kind: "other" };
    case "informational": {
      const parsed = promptBlocked.safeParse(value);
      if (!parsed.success) return { kind: "other" };
      return { kind: "prompt-blocked", reason: parsed.data.prompt_submit_outcome.reason };
    }
    default:
      return { kind: "other" };
  }
}

// Nearly all of such a line is the text. Fields before it are in the line's head, fields after it in the tail; their
// order differs between versions.
function oversizedResult({ head, tail, length }: Extract<Line, { kind: "oversized" }>): Message | undefined {
  const begin = beginOfString(head, "result");
  const end = endOfString(tail, 0);
  if (begin === undefined || end === undefined) return undefined;
  const before = head.slice(0, begin);
  const after = tail.slice(end);
  const parsed = result.safeParse(parseJson(`${before}${after}`));
  if (!parsed.success) return undefined;
  const textLength = length - Buffer.byteLength(before) - Buffer.byteLength(after);
  return { kind: "result", result: parsed.data, textLength };
}

/** Whether an unparsed line may be a result. */
export function mayBeResult(line: Line): boolean {
  return line.kind === "oversized" && `${line.head}${line.tail}`.includes('"type":"result"');
}
