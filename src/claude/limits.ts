// Every refusal that concerns an account, a model or the pace, and not its task alone: how it is recognised, and as
// what it counts. docs/limits.md is written from this list, and test/limit-samples.ts has each form that is known.
// Seen on 2.1.197 and 2.1.332, unless a line says otherwise.
import type { FailureReason } from "../model/outcome.ts";

/** A `rate_limit_event` that says `rejected`. Times are in milliseconds since 1970. */
export interface RejectedLimit {
  resetsAt?: number;
  /** `rateLimitType`, of a usage limit: `five_hour`, `seven_day`, `seven_day_opus` … */
  type?: string;
  /** Whether usage beyond the plan was refused too. */
  overageRejected?: boolean;
  overageResetsAt?: number;
  /** Why there is no usage beyond the plan: `out_of_credits`, `org_spend_cap_reached` … */
  overageDisabledReason?: string;
}

/** The last call of a session, which the API refused, as the CLI passes it on. */
export interface Refusal {
  /** The HTTP status; nothing where there was no answer. */
  status?: number | undefined;
  /** `error` of the synthetic message: `rate_limit`, `authentication_failed` … */
  kind?: string | undefined;
  /** `api_error` of the result: 2.1.330 has it, 2.1.277 does not. */
  code?: string | undefined;
  /** What the CLI says. */
  text: string;
  event?: RejectedLimit | undefined;
  /** The reset that the event or the text names, in milliseconds since 1970. */
  resetsAt?: number | undefined;
}

/** One kind of refusal. */
export interface Limit {
  name: string;
  /** What it is, for people. */
  is: string;
  reason: FailureReason;
  shows(refusal: Refusal): boolean;
  /** What the outcome has for `limitType`; the event's own type goes first. */
  type?(refusal: Refusal): string | undefined;
}

const modelFamilies = "opus|sonnet|haiku|fable|mythos";

/** The family of models in the name of a limit or in what is said of it; nothing for a limit of all models. */
export function familyIn(words: string | undefined): string | undefined {
  // 2.1.332 and 2.1.197 call it the "Fable limit".
  if (words === "seven_day_overage_included") return "fable";
  return new RegExp(modelFamilies, "i").exec(words ?? "")?.[0]?.toLowerCase();
}

/** Names of refusals that concern only the model that was asked for, under the very name that was asked for. */
export const modelNameTypes: ReadonlySet<string> = new Set([
  "long_context_credits_required",
  "model_requires_usage_credits",
]);

/** The first that shows decides. Fields come before words, and words count only where no field says more. */
export const limits = [
  {
    name: "long-context-credits",
    is: "A model with 1M context (`sonnet[1m]`) needs usage credits",
    reason: "billing",
    shows: (refusal) =>
      refusal.code === "long_context_credits_required" ||
      (inWords(refusal) &&
        /(credits|extra usage)( is| are)? required for (1M|long) context/i.test(refusal.text)),
    type: () => "long_context_credits_required",
  },
  {
    name: "model-credits",
    is: "A model needs usage credits",
    reason: "billing",
    shows: (refusal) =>
      refusal.code === "model_requires_usage_credits" ||
      (inWords(refusal) && / requires usage credits/i.test(refusal.text)),
    type: () => "model_requires_usage_credits",
  },
  {
    name: "family-limit",
    is: "The weekly limit of a family of models (Opus, Sonnet, Fable …)",
    reason: "usage-limit",
    shows: (refusal) =>
      familyIn(refusal.event?.type) !== undefined ||
      (inWords(refusal) && familyIn(limitInWords(refusal)) !== undefined),
    type: (refusal) => `seven_day_${familyIn(limitInWords(refusal)) ?? ""}`,
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
      refusal.resetsAt === undefined &&
      (lacksOverage(refusal.event) || (mayBeOfCredits(refusal) && wordsOfCredits.test(said(refusal)))),
    type: () => "usage_credits",
  },
  {
    name: "other-limit",
    is: "Another limit of usage: of spending, of a kind that we do not know, or one that only words say",
    reason: "usage-limit",
    shows: (refusal) => isRateLimit(refusal) && isOfUsage(refusal),
  },
  {
    name: "throttle",
    is: "Too many calls at the moment; “not your usage limit”",
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
        /organization has been disabled|belongs to a disabled organization/i.test(text)),
    type: () => "organization_disabled",
  },
  {
    name: "account-on-hold",
    is: "The account is on hold",
    reason: "auth",
    shows: ({ status, kind, text }) =>
      kind === "account_on_hold" ||
      ((status === 401 || status === 403) && /account_on_hold|account is on hold/.test(text)),
    type: () => "account_on_hold",
  },
  {
    name: "verification-required",
    is: "The organization or the account has to be verified",
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
    is: "The organization allows no subscription logins for Claude Code",
    reason: "auth",
    shows: ({ kind }) => kind === "oauth_org_not_allowed",
    type: () => "oauth_org_not_allowed",
  },
  {
    name: "billing",
    is: "The credit of an API key is too low, or a payment is due",
    reason: "billing",
    shows: ({ status, kind }) => status === 402 || kind === "billing_error",
  },
  {
    name: "login",
    is: "No login, or one that the API does not take",
    reason: "auth",
    shows: ({ status, kind }) => status === 401 || status === 403 || kind === "authentication_failed",
  },
] as const satisfies readonly Limit[];

export type LimitName = (typeof limits)[number]["name"];

function isRateLimit({ status, kind }: Refusal): boolean {
  return status === 429 || kind === "rate_limit";
}

// Whether words may say which limit it is: no field does.
function inWords(refusal: Refusal): boolean {
  return isRateLimit(refusal) && refusal.event?.type === undefined;
}

// Why there is no usage beyond the plan, where the plan itself has no limit that was reached. The CLI could not find
// out why in the two cases that are left out.
function lacksOverage(event: RejectedLimit | undefined): boolean {
  const why = event?.overageDisabledReason;
  return event?.type === undefined && why !== undefined && why !== "fetch_error" && why !== "unknown";
}

// With the reset alone, the event may be of a throttle: the header it comes from is in every answer. Then the CLI
// says that it is not the usage limit.
function isOfUsage(refusal: Refusal): boolean {
  const { code, event, text } = refusal;
  if (code === "usage_limit_reached" || event?.type !== undefined || event?.overageRejected) return true;
  if (event?.resetsAt !== undefined && !notYourLimit.test(text)) return true;
  return wordsOfCredits.test(said(refusal)) || limitInWords(refusal) !== undefined;
}

const notYourLimit = /\(not your usage limit\)/i;

function said({ text }: Refusal): string {
  return text.replace(notYourLimit, "");
}

// "You've hit your Opus limit", "Claude AI usage limit reached", "Usage is paused for your organization".
function limitInWords(refusal: Refusal): string | undefined {
  const found =
    /(?:hit|reached) your ([^·\n]*?(?:limit|budget))|(usage) limit reached|(usage) is paused/i.exec(
      said(refusal),
    );
  return found?.slice(1).find((words) => words !== undefined);
}

const wordsOfCredits =
  /out of (?:usage|extra usage)\b|usage credits ran out|doesn't include (?:extra )?usage|usage allocation has been disabled|usage limit is set to \$0|service is disabled for your org|spend limit/i;

// 400: reported of a subscription's extra usage. No status: they ran out in the middle of a reply.
function mayBeOfCredits(refusal: Refusal): boolean {
  return inWords(refusal) || refusal.status === 400 || refusal.status === undefined;
}
