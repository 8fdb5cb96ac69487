// The shapes of the messages that we read. Each is created once: a schema compiles at its first use, which costs more
// than a hundred parses.
import { z } from "zod";

const lenient = {
  string: z.string().optional().catch(undefined),
  number: z.number().optional().catch(undefined),
  boolean: z.boolean().optional().catch(undefined),
};

export const init = z.object({
  type: z.literal("system"),
  subtype: z.literal("init"),
  session_id: lenient.string,
  model: lenient.string,
  apiKeySource: lenient.string,
  cwd: lenient.string,
  permissionMode: lenient.string,
  claude_code_version: lenient.string,
  /** Names of the tools that exist. */
  tools: z.array(z.string()).optional().catch(undefined),
  agents: z.array(z.string()).optional().catch(undefined),
  mcp_servers: z.array(z.object({ name: z.string(), status: lenient.string })).catch([]),
});

export const apiRetry = z.object({
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

/** What a call to the API used, as far as it is known when the reply begins. */
const startingUsage = z
  .object({
    cache_creation_input_tokens: z.number(),
    cache_read_input_tokens: z.number(),
    cache_creation: z.object({ ephemeral_1h_input_tokens: z.number() }).optional().catch(undefined),
  })
  .optional()
  .catch(undefined);
export type StartingUsage = z.infer<typeof startingUsage>;

export const assistant = z.object({
  type: z.literal("assistant"),
  error: lenient.string,
  parent_tool_use_id: z.string().nullish().catch(undefined),
  message: z.object({ content: z.array(contentBlock).catch([]), usage: startingUsage }),
});

/** A reply begins. Only with `--include-partial-messages`. */
export const replyStart = z.object({
  type: z.literal("stream_event"),
  parent_tool_use_id: z.string().nullish().catch(undefined),
  event: z.object({ type: z.literal("message_start"), message: z.object({ usage: startingUsage }) }),
});

export const rateLimit = z.object({
  type: z.literal("rate_limit_event"),
  rate_limit_info: z.object({
    status: lenient.string,
    /** Seconds since 1970. */
    resetsAt: lenient.number,
    rateLimitType: lenient.string,
    overageStatus: lenient.string,
    /** Seconds since 1970. */
    overageResetsAt: lenient.number,
    overageDisabledReason: lenient.string,
  }),
});

/** A task beside the main turn: a subagent (`local_agent`), a command (`local_bash`), … */
const openTask = z.object({
  task_id: z.string(),
  task_type: lenient.string,
  description: lenient.string,
  /** Set for housekeeping of the CLI and for watchers, which nobody requested. */
  ambient: lenient.boolean,
  /** Set for work elsewhere, for which no process must stay. */
  off_host: lenient.boolean,
});
export type OpenTask = z.infer<typeof openTask>;

export const backgroundTasks = z.object({
  type: z.literal("system"),
  subtype: z.literal("background_tasks_changed"),
  tasks: z.array(openTask),
});

export const taskChange = openTask.extend({
  type: z.literal("system"),
  subtype: z.enum(["task_started", "task_updated", "task_notification"]),
  /** False for a command that the main turn waits for. */
  is_backgrounded: lenient.boolean,
  /** In a notification. */
  status: lenient.string,
  /** In an update. */
  patch: z.object({ status: lenient.string }).optional().catch(undefined),
});

export const promptBlocked = z.object({
  prompt_submit_outcome: z.object({ kind: z.literal("blocked_by_hook"), reason: lenient.string }),
});

/** Which files lost writes: `transcript` is the conversation. */
export const writesLost = z.object({ lost: z.array(z.string()).catch(["transcript"]) });

export const modelFallback = z.object({ original_model: lenient.string, fallback_model: lenient.string });

/** The id of our request to `initialize`. */
export const initializeId = "begin";

/** The answer to `initialize`. An error, or a version that does not list agents, has no list. */
export const controlResponse = z.object({
  type: z.literal("control_response"),
  response: z.object({
    request_id: z.literal(initializeId),
    response: z
      .object({ agents: z.array(z.object({ name: z.string() })) })
      .optional()
      .catch(undefined),
  }),
});

const modelUsage = z.object({
  inputTokens: z.number().catch(0),
  outputTokens: z.number().catch(0),
  cacheReadInputTokens: z.number().catch(0),
  cacheCreationInputTokens: z.number().catch(0),
  costUSD: lenient.number,
});

export const modelUsages = z.record(z.string(), modelUsage).optional().catch(undefined);
export type ModelUsages = z.output<typeof modelUsages>;

export const result = z.object({
  type: z.literal("result"),
  subtype: z.string().catch("unknown"),
  is_error: z.boolean().catch(false),
  api_error_status: z.number().nullish().catch(undefined),
  /** The kind of refusal: `usage_limit_reached` … 2.1.330 has it, 2.1.277 does not. */
  api_error: lenient.string,
  num_turns: z.number().int().nonnegative().catch(0),
  duration_ms: z.number().nonnegative().catch(0),
  result: lenient.string,
  errors: z.array(z.string()).optional().catch(undefined),
  stop_reason: z.string().nullish().catch(undefined),
  terminal_reason: lenient.string,
  session_id: lenient.string,
  total_cost_usd: lenient.number,
  modelUsage: modelUsages,
  /** Usage of this turn, by model; `{}` for none. Since 2.1.309. */
  model_usage_since_last_result: modelUsages,
  /** From 0, without gaps unless a result was lost. Since 2.1.268. */
  result_index: lenient.number,
  permission_denials: z
    .array(
      z.object({
        tool_name: z.string(),
        tool_use_id: lenient.string,
        tool_input: z.record(z.string(), z.unknown()).catch({}),
      }),
    )
    .catch([]),
  structured_output: z.unknown().optional(),
  origin: z.object({ kind: z.string() }).optional().catch(undefined),
});
