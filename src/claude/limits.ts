// Every refusal that concerns an account, a model or the pace, not only its task: how it is recognised, and what it
// counts as. docs/limits.md is generated from this list, and test/limit-samples.ts has each known form. Seen on 2.1.197
// and 2.1.332, unless a line says otherwise.
import { familyIn, type LimitType } from "../model/limit-types.ts";
import type { FailureReason } from "../model/outcome.ts";

/** A `rate_limit_event` with `rejected`. Times are in milliseconds since 1970. */
export interface RejectedLimit {
  resetsAt?: number;
  /** `rateLimitType` of a usage limit: `five_hour`, `seven_day`, `seven_day_opus` … */
  type?: string;
  /** Whether usage beyond the plan was refused too. */
  overageRejected?: boolean;
  overageResetsAt?: number;
  /** Why usage beyond the plan is unavailable: `out_of_credits`, `org_spend_cap_reached` … */
  overageDisabledReason?: string;
}

/** The last call of a session, refused by the API, as the CLI reports it. */
export interface Refusal {
  /** The HTTP status; undefined if there was no answer. */
  status?: number | undefined;
  /** `error` of the synthetic message: `rate_limit`, `authentication_failed` … */
  kind?: string | undefined;
  /** `api_error` of the result: 2.1.330 has it, 2.1.277 does not. */
  code?: string | undefined;
  /** The CLI's message. */
  text: string;
  /** The event before it, only if the refusal is a rate limit, because events concern nothing else. */
  event?: RejectedLimit | undefined;
  /** The reset time in the event or the text, in milliseconds since 1970. */
  resetsAt?: number | undefined;
}

/** One kind of refusal. */
export interface Limit {
  name: string;
  /** Its description, for people. */
  is: string;
  reason: FailureReason;
  shows(refusal: Refusal): boolean;
  /** The outcome's `limitType`; the event's own type wins. */
  type?(refusal: Refusal): LimitType | undefined;
}

/**
 * The first match decides. Fields come before words. Words count only if no field says more, and only as a known sentence
 * of the CLI or the API at the beginning: further on, an API error may quote a user's text.
 */
export const limits = [
  {
    name: "long-context-credits",
    is: "A model with 1M context (`sonnet[1m]`) needs usage credits",
    reason: "billing",
    shows: (refusal) =>
      refusal.code === "long_context_credits_required" ||
      (inWords(refusal) &&
        /^(?:usage credits|extra usage)(?: is| are)? required for (?:1M|long) context/i.test(
          sentenceOf(refusal.text),
        )),
    type: () => "long_context_credits_required",
  },
  {
    name: "model-credits",
    is: "A model needs usage credits",
    reason: "billing",
    shows: (refusal) =>
      refusal.code === "model_requires_usage_credits" ||
      (inWords(refusal) && modelNeedsCredits.test(refusal.text)),
    type: () => "model_requires_usage_credits",
  },
  {
    name: "family-limit",
    is: "The weekly limit of a model family (Opus, Sonnet, Fable …)",
    reason: "usage-limit",
    shows: (refusal) =>
      familyIn(refusal.event?.type) !== undefined ||
      (inWords(refusal) && familyIn(limitInWords(refusal)) !== undefined),
    type: (refusal) => {
      const family = familyIn(limitInWords(refusal));
      return family && `seven_day_${family}`;
    },
  },
  {
    name: "five-hour-limit",
    is: "The five-hour limit of a subscription",
    reason: "usage-limit",
    shows: (refusal) =>
      refusal.event?.type === "five_hour" ||
      (inWords(refusal) && /session|5-hour/i.test(limitInWords(refusal) ?? "")),
    type: () => "five_hour",
  },
  {
    name: "weekly-limit",
    is: "The weekly limit of a subscription",
    reason: "usage-limit",
    shows: (refusal) =>
      refusal.event?.type === "seven_day" ||
      (inWords(refusal) && /weekly/i.test(limitInWords(refusal) ?? "")),
    type: () => "seven_day",
  },
  {
    name: "credits",
    is: "No usage credits are left, or none are allowed: the account's, its organization's, a seat's",
    reason: "billing",
    shows: (refusal) =>
      refusal.resetsAt === undefined && (lacksOverage(refusal.event) || saysCredits(refusal)),
    type: () => "usage_credits",
  },
  {
    name: "other-limit",
    is: "Another usage limit: a spend limit, an unknown kind, or one that only the message mentions",
    reason: "usage-limit",
    shows: (refusal) => isRateLimit(refusal) && isOfUsage(refusal),
  },
  {
    name: "throttle",
    is: "Too many requests right now (“not your usage limit”)",
    reason: "rate-limit",
    shows: isRateLimit,
  },
  {
    name: "overloaded",
    is: "The API is overloaded",
    reason: "overloaded",
    shows: ({ status, kind }) => status === 529 || kind === "overloaded",
  },
  {
    name: "organization-disabled",
    is: "The organization of the login or of the key has been disabled",
    reason: "auth",
    shows: ({ status, code, text }) =>
      code === "org_disabled_credential" ||
      ([400, 401, 403].includes(status ?? 0) &&
        /^(?:(?:this|your) organization has been disabled|your ANTHROPIC_API_KEY belongs to a disabled organization)(?![\w'])/i.test(
          sentenceOf(text),
        )),
    type: () => "organization_disabled",
  },
  {
    name: "account-on-hold",
    is: "The account is on hold",
    reason: "auth",
    shows: ({ status, kind, text }) =>
      kind === "account_on_hold" ||
      ((status === 401 || status === 403) &&
        /^(?:account_on_hold|your account is on hold)\b/i.test(sentenceOf(text))),
    type: () => "account_on_hold",
  },
  {
    name: "verification-required",
    is: "The organization or the account must be verified",
    reason: "auth",
    shows: ({ kind }) => kind === "verification_required",
    type: () => "verification_required",
  },
  {
    name: "cloud-credentials",
    is: "The credentials of Bedrock, Vertex or Foundry cannot be loaded",
    reason: "auth",
    shows: ({ kind }) => kind === "cloud_credential_error",
    type: () => "cloud_credential_error",
  },
  {
    name: "login-not-allowed",
    is: "The organization does not allow subscription logins for Claude Code",
    reason: "auth",
    shows: ({ kind }) => kind === "oauth_org_not_allowed",
    type: () => "oauth_org_not_allowed",
  },
  {
    name: "billing",
    is: "The API key's credit balance is too low, or a payment is due",
    reason: "billing",
    shows: ({ status, kind }) => status === 402 || kind === "billing_error",
  },
  {
    name: "login",
    is: "Not logged in, or the API rejects the login",
    reason: "auth",
    shows: (refusal) => isOfAuthentication(refusal) && !concernsModel(refusal),
  },
] as const satisfies readonly Limit[];

export type LimitName = (typeof limits)[number]["name"];

/** Whether a refusal is about the number of calls or their usage. A status wins over a kind. */
export function isRateLimit({ status, kind }: Pick<Refusal, "status" | "kind">): boolean {
  return status === undefined ? kind === "rate_limit" : status === 429;
}

/**
 * Whether the API refuses one model but accepts the login: `access to the model`, in the words of Bedrock and gateways.
 */
export function concernsModel(refusal: Refusal): boolean {
  const { status, text } = refusal;
  return (status === 401 || status === 403) && /\bmodels?\b/i.test(text);
}

function isOfAuthentication({ status, kind }: Refusal): boolean {
  return status === 401 || status === 403 || kind === "authentication_failed";
}

// The CLI's prefix for a message that it passes on without recognising a limit.
const passedOn =
  /^API Error: (?:Server is temporarily limiting requests \(not your usage limit\)|Request rejected \(429\))(?: · |$)/;
const otherPrefix = /^(?:Failed to authenticate\. )?API Error: (?:\d{3} )?/;

// The message without the CLI's prefix.
function sentenceOf(text: string): string {
  const rest = text.replace(passedOn, "");
  return rest === text ? text.replace(otherPrefix, "") : rest;
}

// "API Error: … · spend limit reached · resets Aug 8 · request an increase": a gateway's message, which the CLI knows
// too.
const gatewaySpendLimit = /^spend limit reached(?: ·|$)/;

/** Whether the time in a message is the end of a limit: in a message that is only passed on, it may be anything. */
export function mayNameReset(text: string): boolean {
  return (
    sentenceOf(text) === text || gatewaySpendLimit.test(sentenceOf(text)) || creditsOut.test(sentenceOf(text))
  );
}

// Whether the message decides: only if no field does.
function inWords(refusal: Refusal): boolean {
  return isRateLimit(refusal) && refusal.event?.type === undefined;
}

// Why usage beyond the plan is unavailable, if no limit of the plan itself was reached. In the two cases left out, the
// CLI could not find out why.
function lacksOverage(event: RejectedLimit | undefined): boolean {
  const why = event?.overageDisabledReason;
  return event?.type === undefined && why !== undefined && why !== "fetch_error" && why !== "unknown";
}

// An event with only the reset may be about a throttle, because the header it comes from is in every answer. Then the CLI
// says that it is not the usage limit.
function isOfUsage(refusal: Refusal): boolean {
  const { code, event, text } = refusal;
  if (code === "usage_limit_reached" || event?.type !== undefined || event?.overageRejected) return true;
  if (gatewaySpendLimit.test(sentenceOf(text))) return true;
  if (event?.resetsAt !== undefined && !text.includes("(not your usage limit)")) return true;
  return saysCredits(refusal) || limitInWords(refusal) !== undefined;
}

// "You've hit your Opus limit", "Claude AI usage limit reached", "Usage is paused for your organization". Gateways use
// the same words for limits of calls or tokens, which are throttles.
function limitInWords({ text }: Refusal): string | undefined {
  const found =
    /^(?:You['’]ve (?:hit|reached) your ([^·\n]*?(?:limit|budget))\b|(?:Claude AI )?(usage) limit reached|(usage) is paused)/i.exec(
      text,
    );
  const words = found?.slice(1).find((one) => one !== undefined);
  return words !== undefined && /\b(?:rate|concurren\w*|requests?|tokens?)\b/i.test(words)
    ? undefined
    : words;
}

const modelNeedsCredits = /^(?:Fable|Haiku|Mythos|Opus|Sonnet)(?: [^·\n]{1,40})? requires usage credits\b/;

// The list in the program, in 2.1.332 and 2.1.197; the last two were reported for the API.
const creditsOut =
  /^(?:You['’]re out of (?:extra )?usage\b|Your org(?:anization)? is out of usage\b|Your seat type doesn't include (?:extra )?usage\b|Your usage allocation has been disabled\b|Your group's usage limit is set to \$0|This service is disabled for your org\b)/i;
const spendLimitHit = /^You['’]ve (?:hit|reached) your [^·\n]*spend limit\b/i;

// 400: reported for a subscription's extra usage. No status: credits ran out in the middle of a reply.
function saysCredits(refusal: Refusal): boolean {
  const { status, text } = refusal;
  if (inWords(refusal)) return creditsOut.test(sentenceOf(text)) || spendLimitHit.test(text);
  if (status === 400) return creditsOut.test(sentenceOf(text));
  return status === undefined && text.startsWith("API Error: Usage credits ran out before the response");
}
