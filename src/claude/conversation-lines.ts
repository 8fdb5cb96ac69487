// A transcript as a conversation: what was said, which tools were called, their results, and the end.
import { z } from "zod";
import type { ConversationPart, Reply } from "../model/conversation.ts";
import { isDeeperThan } from "../model/json-values.ts";
import { beginOfString, parseJson } from "./json-scan.ts";
import type { Line } from "./lines.ts";
import { messageFrom } from "./message.ts";

const block = z.object({
  type: z.string(),
  text: z.string().optional().catch(undefined),
  thinking: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  input: z.unknown().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().optional().catch(undefined),
  id: z.string().optional().catch(undefined),
  tool_use_id: z.string().optional().catch(undefined),
});
type Block = z.infer<typeof block>;
const blocks = z.array(block);

const spoken = z.object({
  type: z.enum(["assistant", "user"]),
  error: z.string().optional().catch(undefined),
  parent_tool_use_id: z.string().nullish().catch(undefined),
  message: z.object({
    content: z.union([z.string(), z.array(block)]),
    id: z.string().optional().catch(undefined),
    usage: z
      .object({
        input_tokens: z.number(),
        cache_creation_input_tokens: z.number().catch(0),
        cache_read_input_tokens: z.number().catch(0),
      })
      .optional()
      .catch(undefined),
  }),
});
type Spoken = z.infer<typeof spoken>;

/** What a line adds to the conversation: no, one or several parts. Never throws. */
export function partsOf(line: Line): ConversationPart[] {
  // Nearly all lines of a long transcript: they are parsed once.
  if (line.kind === "whole" && isSpoken.test(line.text)) return spokenParts(line);
  const message = messageFrom(line);
  switch (message.kind) {
    case "init":
      return [{ kind: "started", model: message.init.model, sessionId: message.init.session_id }];
    case "api-retry": {
      const { attempt, max_retries, error_status } = message.retry;
      const cause = error_status == null ? "does not answer" : `answers with status ${error_status}`;
      return [{ kind: "waits", why: `The API ${cause}; retry ${attempt ?? "?"} of ${max_retries ?? "?"}.` }];
    }
    case "rate-limit": {
      if (message.info.status !== "rejected") return [];
      const { resetsAt } = message.info;
      const until = resetsAt === undefined ? "" : ` until ${new Date(resetsAt * 1000).toISOString()}`;
      return [{ kind: "waits", why: `The usage limit is reached${until}.` }];
    }
    case "result": {
      const {
        subtype,
        is_error,
        result,
        errors = [],
        num_turns,
        duration_ms,
        total_cost_usd,
      } = message.result;
      return [
        {
          kind: "ended",
          failed: is_error || subtype !== "success",
          subtype,
          text:
            line.kind === "oversized"
              ? beginningOf(line.head)
              : [result ?? "", ...errors].filter(Boolean).join("\n"),
          numTurns: num_turns,
          durationMs: duration_ms,
          costUsd: total_cost_usd,
        },
      ];
    }
    case "model-fallback": {
      const { from = "the model", to = "Another model" } = message;
      return [{ kind: "waits", why: `${to} answers instead of ${from}.` }];
    }
    case "background":
    case "task":
    case "writes-lost":
    case "reset":
    case "hook":
    case "prompt-blocked":
    case "initialized":
    case "reply-start":
      return [];
    case "not-a-message":
    case "assistant":
    case "refusals":
    case "other":
      return line.kind === "oversized"
        ? [{ kind: "unread", text: line.head, bytes: line.length }]
        : spokenParts(line);
  }
}

function spokenParts({ text, length }: Extract<Line, { kind: "whole" }>): ConversationPart[] {
  const value = parseJson(text);
  if (value === undefined) return text.trim() === "" ? [] : [{ kind: "unread", text, bytes: length }];
  const parsed = spoken.safeParse(value);
  if (!parsed.success) return [];
  const { type, error, parent_tool_use_id, message } = parsed.data;
  const place = { nested: parent_tool_use_id != null, parent: parent_tool_use_id ?? undefined };
  const reply = replyOf(message);
  const blocks: Block[] =
    typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
  return blocks.flatMap((one): ConversationPart[] => {
    if (one.type === "tool_use") {
      const input = jsonOf(one.input ?? {});
      return [{ kind: "called", tool: one.name ?? "a tool", input, id: one.id, reply, ...place }];
    }
    if (one.type === "tool_result") {
      const failed = one.is_error === true;
      return [{ kind: "returned", text: contentText(one.content), failed, of: one.tool_use_id, ...place }];
    }
    if (one.type === "thinking" && one.thinking !== undefined)
      return [{ kind: "thought", text: one.thinking, reply, ...place }];
    if (one.type !== "text" || one.text === undefined) return [];
    return type === "user"
      ? [{ kind: "prompted", text: one.text, ...place }]
      : [{ kind: "said", text: one.text, failed: error !== undefined, reply, ...place }];
  });
}

/** The beginning of a line that says something, as all versions write it. */
const isSpoken = /^\{"type":"(?:assistant|user)",/;

// How many tokens a reply has, its beginning does not say.
function replyOf({ id, usage }: Spoken["message"]): Reply | undefined {
  if (id === undefined) return undefined;
  const read = usage && {
    fresh: usage.input_tokens,
    cacheRead: usage.cache_read_input_tokens,
    cacheWritten: usage.cache_creation_input_tokens,
  };
  return { id, read };
}

// A tool result is a text, or a list of texts and other blocks.
function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  const parsed = blocks.safeParse(content);
  if (!parsed.success) return content === undefined ? "" : jsonOf(content);
  return parsed.data.map(({ type, text }) => text ?? `[${type}]`).join("\n");
}

/** Deeper values would overflow the stack. */
const deepest = 1_000;

function jsonOf(value: unknown): string {
  return JSON.stringify(isDeeperThan(value, deepest) ? "(nested too deeply to show)" : value);
}

// For a text in a line too long to keep, the part in the line's head; an escape at its end may be cut.
function beginningOf(head: string): string {
  const begin = beginOfString(head, "result");
  if (begin === undefined) return "";
  return head
    .slice(begin, begin + 4_000)
    .replaceAll("\\n", "\n")
    .replaceAll('\\"', '"');
}
