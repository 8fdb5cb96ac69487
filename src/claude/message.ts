// The messages of a session that matter to us, parsed at the border. All else is "other": new versions of the
// CLI add types and fields at any time, and no such thing may cost a result.
import { z } from "zod";
import { beginOfString, endOfString } from "./json-scan.ts";
import type { Line } from "./lines.ts";

const lenient = {
  string: z.string().optional().catch(undefined),
  number: z.number().optional().catch(undefined),
  boolean: z.boolean().optional().catch(undefined),
};

const init = z.object({
  type: z.literal("system"),
  subtype: z.literal("init"),
  session_id: lenient.string,
  model: lenient.string,
  apiKeySource: lenient.string,
  mcp_servers: z.array(z.object({ name: z.string(), status: lenient.string })).catch([]),
});

const apiRetry = z.object({
  type: z.literal("system"),
  subtype: z.literal("api_retry"),
  attempt: lenient.number,
  max_retries: lenient.number,
  retry_delay_ms: lenient.number,
  error_status: z.number().nullish().catch(undefined),
  error: lenient.string,
});

const contentBlock = z.object({
  type: z.string(),
  text: lenient.string,
  name: lenient.string,
  input: z.unknown().optional(),
});

const assistant = z.object({
  type: z.literal("assistant"),
  error: lenient.string,
  parent_tool_use_id: z.string().nullish().catch(undefined),
  message: z.object({ content: z.array(contentBlock).catch([]) }),
});

const rateLimit = z.object({
  type: z.literal("rate_limit_event"),
  rate_limit_info: z.object({
    status: lenient.string,
    /** Seconds since 1970. */
    resetsAt: lenient.number,
    rateLimitType: lenient.string,
  }),
});

const modelUsage = z.object({
  inputTokens: z.number().catch(0),
  outputTokens: z.number().catch(0),
  cacheReadInputTokens: z.number().catch(0),
  cacheCreationInputTokens: z.number().catch(0),
  costUSD: lenient.number,
});

const result = z.object({
  type: z.literal("result"),
  subtype: z.string().catch("unknown"),
  is_error: z.boolean().catch(false),
  api_error_status: z.number().nullish().catch(undefined),
  num_turns: z.number().int().nonnegative().catch(0),
  duration_ms: z.number().nonnegative().catch(0),
  result: lenient.string,
  errors: z.array(z.string()).optional().catch(undefined),
  stop_reason: z.string().nullish().catch(undefined),
  terminal_reason: lenient.string,
  session_id: lenient.string,
  total_cost_usd: lenient.number,
  modelUsage: z.record(z.string(), modelUsage).optional().catch(undefined),
  permission_denials: z
    .array(z.object({ tool_name: z.string(), tool_input: z.record(z.string(), z.unknown()).catch({}) }))
    .catch([]),
  structured_output: z.unknown().optional(),
  origin: z.object({ kind: z.string() }).optional().catch(undefined),
});

export type InitMessage = z.infer<typeof init>;
export type ResultMessage = z.infer<typeof result>;
export type Message =
  | { kind: "init"; init: InitMessage }
  | { kind: "assistant"; assistant: z.infer<typeof assistant> }
  | { kind: "api-retry"; retry: z.infer<typeof apiRetry> }
  | { kind: "rate-limit"; info: z.infer<typeof rateLimit>["rate_limit_info"] }
  | { kind: "result"; result: ResultMessage; textLength: number }
  | { kind: "other" }
  | { kind: "not-a-message" };

/** What a line of a transcript says. Never throws. */
export function messageFrom(line: Line): Message {
  if (line.kind === "oversized") return oversizedResult(line) ?? { kind: "other" };
  const value = parseJson(line.text);
  if (value === undefined) return { kind: "not-a-message" };
  return messageOf(value);
}

// Built once: a schema compiles itself at its first use, which costs more than a hundred parses.
const head = z.object({ type: z.string(), subtype: lenient.string });

function messageOf(value: unknown): Message {
  const shape = head.safeParse(value);
  if (!shape.success) return { kind: "other" };
  const { type, subtype } = shape.data;
  switch (type) {
    case "result": {
      const parsed = result.safeParse(value);
      if (!parsed.success) return { kind: "other" };
      return { kind: "result", result: parsed.data, textLength: parsed.data.result?.length ?? 0 };
    }
    case "assistant": {
      const parsed = assistant.safeParse(value);
      return parsed.success ? { kind: "assistant", assistant: parsed.data } : { kind: "other" };
    }
    case "rate_limit_event": {
      const parsed = rateLimit.safeParse(value);
      return parsed.success ? { kind: "rate-limit", info: parsed.data.rate_limit_info } : { kind: "other" };
    }
    case "system": {
      if (subtype === "init") return { kind: "init", init: init.parse(value) };
      if (subtype === "api_retry") return { kind: "api-retry", retry: apiRetry.parse(value) };
      return { kind: "other" };
    }
    default:
      return { kind: "other" };
  }
}

// Nearly all of such a line is the text. The fields before it stand in the line's head, those behind it in its
// tail; which come first differs from version to version.
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

/** Whether a line that was not understood may be a result all the same. */
export function mayBeResult(line: Line): boolean {
  return line.kind === "oversized" && `${line.head}${line.tail}`.includes('"type":"result"');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller counts it, and reads on.
    return undefined;
  }
}
