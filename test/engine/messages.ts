// What a session prints, as far as tests of the engine need it.

export const init = {
  type: "system",
  subtype: "init",
  session_id: "s",
  model: "opus-4",
  apiKeySource: "none",
};
export const said = (text: string) => ({
  type: "assistant",
  parent_tool_use_id: null,
  message: { content: [{ type: "text", text }] },
});
/** A call that the API refused because there were too many. */
export const throttle = {
  type: "system",
  subtype: "api_retry",
  attempt: 1,
  max_retries: 10,
  retry_delay_ms: 1,
  error_status: 429,
  error: "rate_limit",
  session_id: "s",
};
export const result = (text: string, more: object = {}) => ({
  type: "result",
  subtype: "success",
  is_error: false,
  num_turns: 2,
  duration_ms: 5,
  total_cost_usd: 0.5,
  result: text,
  session_id: "s",
  permission_denials: [],
  ...more,
});

/** The answer to our `initialize`. */
export const introduction = {
  type: "control_response",
  response: { subtype: "success", request_id: "begin", response: {} },
};

/** A hook runs, before the session is at work. */
export const hookStarted = { type: "system", subtype: "hook_started", hook_name: "SessionStart:startup" };
