// Each known form of each kind of refusal, as the messages of a session. Those marked `seen` were printed by the real
// CLI (2.1.197, 2.1.332 or both) against a simulated API; the others were reported, or follow from its texts.
import type { LimitName } from "../src/claude/limits.ts";
import type { Outcome } from "../src/model/outcome.ts";

export interface LimitSample {
  /** The `rate_limit_info` of the event before it; its times are in seconds after `sampleNow`. */
  event?: Record<string, unknown>;
  /** `error` of the synthetic message. */
  kind?: string;
  status?: number;
  /** `api_error` of the result. */
  code?: string;
  text: string;
  seen?: string;
  /** The rest of the outcome. `resetsAt` is in seconds after `sampleNow`. */
  outcome?: { resetsAt?: number; limitType?: string };
}

/** When all of them were said: a Sunday. */
export const sampleNow = Date.UTC(2026, 10, 22, 18, 45);

const hour = 3_600;
const day = 24 * hour;

const rateLimit = { status: 429, kind: "rate_limit" };
const reached = { ...rateLimit, code: "usage_limit_reached" };
const both = "2.1.197, 2.1.332";
const throttled = "API Error: Server is temporarily limiting requests (not your usage limit)";

export const limitSamples: Record<LimitName, LimitSample[]> = {
  "long-context-credits": [
    {
      ...rateLimit,
      event: {},
      code: "long_context_credits_required",
      text: "API Error: Usage credits required for 1M context · turn on usage credits, or use --model to switch to standard context",
      seen: "2.1.332",
    },
    {
      ...rateLimit,
      event: {},
      text: "API Error: Usage credits required for 1M context · turn on usage credits, or use --model to switch to standard context",
      seen: "2.1.197",
    },
    { ...rateLimit, text: "API Error: Extra usage is required for long context requests." },
  ].map((sample) => ({ ...sample, outcome: { limitType: "long_context_credits_required" } })),
  "model-credits": [
    {
      ...rateLimit,
      event: {},
      code: "model_requires_usage_credits",
      text: "You're out of usage credits. Switch to another model to continue.",
    },
    { ...rateLimit, event: {}, text: "Fable 5 requires usage credits. Switch to another model to continue." },
  ].map((sample) => ({ ...sample, outcome: { limitType: "model_requires_usage_credits" } })),
  "family-limit": [
    {
      ...reached,
      event: { resetsAt: 3 * day, rateLimitType: "seven_day_opus" },
      text: "You've hit your Opus limit · resets Nov 25, 6:45pm (UTC)",
      seen: both,
      outcome: { resetsAt: 3 * day, limitType: "seven_day_opus" },
    },
    {
      ...reached,
      event: { resetsAt: 3 * day, rateLimitType: "seven_day_sonnet" },
      text: "You've hit your Sonnet limit · resets Nov 25, 6:45pm (UTC)",
      seen: both,
      outcome: { resetsAt: 3 * day, limitType: "seven_day_sonnet" },
    },
    {
      ...reached,
      event: { resetsAt: 3 * day, rateLimitType: "seven_day_overage_included" },
      text: "You've hit your Fable limit · resets Nov 25, 6:45pm (UTC). Switch to another model to continue.",
      seen: both,
      outcome: { resetsAt: 3 * day, limitType: "seven_day_overage_included" },
    },
    {
      ...rateLimit,
      event: {
        resetsAt: 3 * day,
        rateLimitType: "seven_day_overage_included",
        overageStatus: "rejected",
        overageDisabledReason: "out_of_credits",
      },
      text: "You're out of usage credits. /model to switch models.",
      seen: "2.1.197",
      outcome: { resetsAt: 3 * day, limitType: "seven_day_overage_included" },
    },
    {
      ...rateLimit,
      text: "You've hit your Opus limit · resets Nov 25, 6:45pm (UTC)",
      outcome: { resetsAt: 3 * day, limitType: "seven_day_opus" },
    },
  ],
  "five-hour-limit": [
    {
      ...reached,
      event: { resetsAt: hour, rateLimitType: "five_hour" },
      text: "You've hit your 5-hour limit · resets 7:45pm (UTC)",
      seen: "2.1.332",
      outcome: { resetsAt: hour, limitType: "five_hour" },
    },
    {
      ...rateLimit,
      event: { resetsAt: hour, rateLimitType: "five_hour" },
      text: "You've hit your session limit · resets 7:45pm (UTC)",
      seen: "2.1.197",
      outcome: { resetsAt: hour, limitType: "five_hour" },
    },
    {
      ...reached,
      event: { rateLimitType: "five_hour" },
      text: "You've hit your 5-hour limit",
      seen: "2.1.332",
      outcome: { limitType: "five_hour" },
    },
    {
      ...reached,
      event: {
        resetsAt: hour,
        rateLimitType: "five_hour",
        overageStatus: "rejected",
        overageDisabledReason: "org_level_disabled_until",
      },
      text: "You've hit your individual spend limit · ask your admin to raise it · your 5-hour limit resets 7:45pm (UTC)",
      seen: both,
      outcome: { resetsAt: hour, limitType: "five_hour" },
    },
    {
      ...rateLimit,
      text: "You've hit your session limit · resets 9pm (UTC)",
      outcome: { resetsAt: 2.25 * hour, limitType: "five_hour" },
    },
  ],
  "weekly-limit": [
    {
      ...reached,
      event: { resetsAt: 3 * day, rateLimitType: "seven_day" },
      text: "You've hit your weekly limit · resets Nov 25, 6:45pm (UTC)",
      seen: both,
      outcome: { resetsAt: 3 * day, limitType: "seven_day" },
    },
    {
      ...rateLimit,
      text: "You've hit your weekly limit · resets Nov 25, 6:45pm (UTC)",
      outcome: { resetsAt: 3 * day, limitType: "seven_day" },
    },
  ],
  credits: [
    {
      ...reached,
      event: { overageStatus: "rejected", overageDisabledReason: "out_of_credits" },
      text: "You're out of usage credits",
      seen: both,
    },
    {
      ...reached,
      event: { overageStatus: "rejected", overageDisabledReason: "seat_tier_level_disabled" },
      text: "Your seat type doesn't include usage credits",
      seen: both,
    },
    { ...rateLimit, text: "You're out of extra usage" },
    { ...rateLimit, text: "Your organization is out of usage credits." },
    { ...rateLimit, text: "Your org is out of usage · add funds to continue" },
    { ...rateLimit, text: "You've hit your org's monthly spend limit · ask your admin to raise it" },
    {
      status: 400,
      kind: "invalid_request",
      text: "API Error: 400 You're out of extra usage. Add more to keep going.",
    },
    { kind: "unknown", text: "API Error: Usage credits ran out before the response was finished." },
  ].map((sample) => ({ ...sample, outcome: { limitType: "usage_credits" } })),
  "other-limit": [
    {
      ...reached,
      event: { resetsAt: 3 * day, rateLimitType: "overage" },
      text: "You've hit your usage limit · resets Nov 25, 6:45pm (UTC)",
      seen: both,
      outcome: { resetsAt: 3 * day, limitType: "overage" },
    },
    {
      ...reached,
      event: { overageStatus: "rejected", overageResetsAt: 2 * hour },
      text: "You've hit your limit · resets 8:45pm (UTC)",
      seen: both,
      outcome: { resetsAt: 2 * hour },
    },
    {
      ...reached,
      event: {
        overageStatus: "rejected",
        overageResetsAt: 2 * hour,
        overageDisabledReason: "org_level_disabled_until",
      },
      text: "You've hit your org's monthly spend limit · ask your admin to raise it",
      seen: both,
      outcome: { resetsAt: 2 * hour },
    },
    {
      ...rateLimit,
      event: { resetsAt: 3 * day },
      text: `${throttled} · spend limit reached · resets Nov 25 · request an increase`,
      seen: both,
      outcome: { resetsAt: 3 * day },
    },
    {
      ...rateLimit,
      text: "You're out of extra usage · resets 10am (UTC)",
      outcome: { resetsAt: 15.25 * hour },
    },
    {
      ...rateLimit,
      text: "Claude AI usage limit reached|1795467600",
      outcome: { resetsAt: 26.25 * hour },
    },
    {
      ...rateLimit,
      text: "You've hit your usage limit. Try again in 2 hours.",
      outcome: { resetsAt: 2 * hour },
    },
    {
      ...reached,
      event: {},
      text: "Usage is paused for your organization. For help, please contact support.",
    },
  ],
  throttle: [
    {
      ...rateLimit,
      event: {},
      text: `${throttled} · This request would exceed your account's rate limit.`,
      seen: both,
    },
    {
      ...rateLimit,
      text: "API Error: Request rejected (429) · This request would exceed your rate limit",
      seen: both,
    },
    // The header that the reset comes from is in every answer.
    { ...rateLimit, event: { resetsAt: hour }, text: `${throttled} · slow down` },
    { kind: "rate_limit", text: "Opus is experiencing high load. Switch to Sonnet." },
  ],
  overloaded: [
    {
      status: 529,
      kind: "server_error",
      text: "API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment.",
      seen: both,
    },
  ],
  "organization-disabled": [
    { status: 400, kind: "unknown", text: "API Error: 400 This organization has been disabled.", seen: both },
    {
      status: 403,
      kind: "authentication_failed",
      text: "Failed to authenticate. API Error: 403 This organization has been disabled.",
      seen: both,
    },
    {
      status: 400,
      kind: "invalid_request",
      code: "org_disabled_credential",
      text: "Your ANTHROPIC_API_KEY belongs to a disabled organization · Update or unset the environment variable",
    },
  ].map((sample) => ({ ...sample, outcome: { limitType: "organization_disabled" } })),
  "account-on-hold": [
    { status: 403, kind: "account_on_hold", text: "Your account is on hold and can't use Claude Code." },
    {
      status: 401,
      kind: "authentication_failed",
      text: "Failed to authenticate. API Error: 401 account_on_hold",
      seen: both,
    },
  ].map((sample) => ({ ...sample, outcome: { limitType: "account_on_hold" } })),
  "verification-required": [
    {
      status: 403,
      kind: "verification_required",
      text: "API Error: Verify your organization to continue.",
      outcome: { limitType: "verification_required" },
    },
  ],
  "cloud-credentials": [
    {
      kind: "cloud_credential_error",
      text: "API Error: Could not load AWS credentials · The token has expired. Check or refresh your AWS credentials and try again.",
      outcome: { limitType: "cloud_credential_error" },
    },
  ],
  "login-not-allowed": [
    {
      status: 403,
      kind: "oauth_org_not_allowed",
      text: "Your organization has disabled Claude subscription access for Claude Code · Use an Anthropic API key instead",
      seen: both,
      outcome: { limitType: "oauth_org_not_allowed" },
    },
  ],
  billing: [
    { status: 400, kind: "billing_error", text: "Credit balance is too low", seen: both },
    { status: 402, kind: "unknown", text: "API Error: 402 payment required", seen: both },
    {
      status: 402,
      kind: "unknown",
      text: "API Error: 402 spend limit reached · resets Nov 25 · request an increase",
      seen: both,
      outcome: { resetsAt: 2 * day + 5.25 * hour },
    },
  ],
  login: [
    { kind: "authentication_failed", text: "Not logged in · Please run /login", seen: both },
    {
      status: 401,
      kind: "authentication_failed",
      text: "Failed to authenticate. API Error: 401 invalid",
      seen: both,
    },
    {
      status: 403,
      kind: "authentication_failed",
      text: "Failed to authenticate. API Error: 403 Request not allowed",
      seen: both,
    },
  ],
};

/** The messages of a session that ended so, a line each. */
export function linesOf({ event, kind, status, code, text }: LimitSample): string {
  const info = event && { status: "rejected", isUsingOverage: false, ...event, ...timesOf(event) };
  const lines = [
    ...(info ? [{ type: "rate_limit_event", rate_limit_info: info }] : []),
    {
      type: "assistant",
      error: kind,
      message: { model: "<synthetic>", content: [{ type: "text", text }] },
    },
    {
      type: "result",
      subtype: "success",
      is_error: true,
      api_error_status: status ?? null,
      api_error: code,
      result: text,
    },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function timesOf(event: Record<string, unknown>): Record<string, number> {
  const times = Object.entries(event).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  return Object.fromEntries(times.map(([name, after]) => [name, sampleNow / 1000 + after]));
}

/** What a sample has to come to. */
export function outcomeOfSample(
  { text, outcome: { resetsAt, limitType } = {} }: LimitSample,
  reason: Extract<Outcome, { kind: "failed" }>["reason"],
): Extract<Outcome, { kind: "failed" }> {
  return {
    kind: "failed",
    reason,
    message: text,
    ...(resetsAt === undefined ? {} : { resetsAt: sampleNow + resetsAt * 1000 }),
    ...(limitType === undefined ? {} : { limitType }),
  };
}
