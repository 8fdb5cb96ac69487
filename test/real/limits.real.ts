// What the real `claude` makes of each refusal of the API, and what we make of that: docs/limits.md has the table.
// Subscription logins are imitated by a token that is made up. `bun run test:real`.
import { expect, setDefaultTimeout, test } from "bun:test";
import { LineCutter } from "../../src/claude/lines.ts";
import { outcomeOf } from "../../src/claude/outcome.ts";
import { applyLine, newReading } from "../../src/claude/reading.ts";
import { holdFor } from "../../src/engine/account/hold.ts";
import { type Ended, runReal } from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal } from "./version.ts";

setDefaultTimeout(60_000);

/** A minute from now at least, on a whole minute: the texts have no seconds. */
const inHours = (hours: number) => Math.ceil(Date.now() / 60_000) * 60 + hours * 3_600;
const hour = inHours(1);
const days = inHours(72);
const header = "anthropic-ratelimit-unified";
const claim = (type: string, reset: number) =>
  `${header}-status=rejected ${header}-reset=${reset} ${header}-representative-claim=${type}`;
const overage = (reason: string) =>
  `${header}-status=rejected ${header}-overage-status=rejected ${header}-overage-disabled-reason=${reason}`;
const utcDay = new Date(days * 1000).toLocaleDateString("en-US", {
  month: "short",
  day: "numeric",
  timeZone: "UTC",
});

const agent = (prompt: string) =>
  `TOOL: Agent ${JSON.stringify({ description: "d", prompt, subagent_type: "general-purpose", run_in_background: false })}`;

interface Refusal {
  prompt: string;
  outcome: { reason: string; limitType?: string; resetsAt?: number };
  /** What is held, as `Hold.model` has it; nothing: no hold. */
  held?: string;
  model?: string;
}

const refusals: Record<string, Refusal> = {
  "a passing 429": { prompt: "FAIL 429: too many", outcome: { reason: "rate-limit" } },
  "a 429 with a retry-after that is too long for the CLI": {
    prompt: "FAIL 429 retry-after=61: too many",
    outcome: { reason: "rate-limit" },
  },
  "a 429 that says rejected and no more": {
    prompt: `FAIL 429 ${header}-status=rejected: too many`,
    outcome: { reason: "rate-limit" },
  },
  "an overloaded API": { prompt: "FAIL 529: Overloaded", outcome: { reason: "overloaded" } },
  "the five-hour limit": {
    prompt: `FAIL 429 ${claim("five_hour", hour)}: over`,
    outcome: { reason: "usage-limit", limitType: "five_hour", resetsAt: hour },
    held: "",
  },
  "the five-hour limit without a reset": {
    prompt: `FAIL 429 ${header}-status=rejected ${header}-representative-claim=five_hour: over`,
    outcome: { reason: "usage-limit", limitType: "five_hour" },
    held: "",
  },
  "the weekly limit": {
    prompt: `FAIL 429 ${claim("seven_day", days)}: over`,
    outcome: { reason: "usage-limit", limitType: "seven_day", resetsAt: days },
    held: "",
  },
  "the weekly Opus limit": {
    prompt: `FAIL 429 ${claim("seven_day_opus", days)}: over`,
    outcome: { reason: "usage-limit", limitType: "seven_day_opus", resetsAt: days },
    model: "opus",
    held: "opus",
  },
  "the weekly Sonnet limit": {
    prompt: `FAIL 429 ${claim("seven_day_sonnet", days)}: over`,
    outcome: { reason: "usage-limit", limitType: "seven_day_sonnet", resetsAt: days },
    model: "sonnet[1m]",
    held: "sonnet",
  },
  "the weekly Fable limit": {
    prompt: `FAIL 429 ${claim("seven_day_overage_included", days)}: over`,
    outcome: { reason: "usage-limit", limitType: "seven_day_overage_included", resetsAt: days },
    held: "default",
  },
  "the five-hour limit, where extra usage has run out too": {
    prompt: `FAIL 429 ${claim("five_hour", hour)} ${header}-overage-status=rejected ${header}-overage-disabled-reason=out_of_credits: over`,
    outcome: { reason: "usage-limit", limitType: "five_hour", resetsAt: hour },
    held: "",
  },
  "no usage credits": {
    prompt: `FAIL 429 ${overage("out_of_credits")}: over`,
    outcome: { reason: "billing", limitType: "usage_credits" },
    held: "",
  },
  "a seat without usage credits": {
    prompt: `FAIL 429 ${overage("seat_tier_level_disabled")}: over`,
    outcome: { reason: "billing", limitType: "usage_credits" },
    held: "",
  },
  "the monthly spend of the organization, with its reset": {
    prompt: `FAIL 429 ${overage("org_level_disabled_until")} ${header}-overage-reset=${days}: over`,
    outcome: { reason: "usage-limit", resetsAt: days },
    held: "",
  },
  "a gateway's spend limit": {
    prompt: `FAIL 429 ${header}-reset=${days}: spend limit reached · resets ${utcDay} · request an increase`,
    outcome: { reason: "usage-limit", resetsAt: days },
    held: "",
  },
  "extra usage, in the API's words alone": {
    prompt: "FAIL 429: You're out of extra usage · resets in 2 hours",
    outcome: { reason: "usage-limit" },
    held: "",
  },
  "credits for long context": {
    prompt: "FAIL 429: Usage credits are required for long context requests.",
    outcome: { reason: "billing", limitType: "long_context_credits_required" },
    model: "sonnet[1m]",
    held: "=sonnet[1m]",
  },
  "a disabled organization": {
    prompt: "FAIL 400: This organization has been disabled.",
    outcome: { reason: "auth", limitType: "organization_disabled" },
    held: "",
  },
  "a disabled organization, as 403": {
    prompt: "FAIL 403: This organization has been disabled.",
    outcome: { reason: "auth", limitType: "organization_disabled" },
    held: "",
  },
  "an organization without subscription logins": {
    prompt: "FAIL 403: OAuth authentication is currently not allowed for this organization.",
    outcome: { reason: "auth", limitType: "oauth_org_not_allowed" },
    held: "",
  },
  "a refused token": { prompt: "FAIL 401: invalid", outcome: { reason: "auth" }, held: "" },
  "a login without access": {
    prompt: "FAIL 403: Request not allowed",
    outcome: { reason: "auth" },
    held: "",
  },
  "a credit balance that is too low": {
    prompt: "FAIL 400: Your credit balance is too low to access the Anthropic API.",
    outcome: { reason: "billing" },
    held: "",
  },
  "a 429 that quotes what the CLI says of a limit": {
    prompt:
      'FAIL 429: messages.0: the text "You\'ve hit your session limit · resets 9pm (UTC)" is not allowed so often',
    outcome: { reason: "rate-limit" },
  },
  "a gateway's limit of requests": {
    prompt: "FAIL 429: You've hit your concurrent requests limit. Please slow down.",
    outcome: { reason: "rate-limit" },
  },
  "a gateway's limit of tokens": {
    prompt: "FAIL 429: Token usage limit reached, try again in 20 seconds",
    outcome: { reason: "rate-limit" },
  },
  "a wrong request that quotes a spend limit": {
    prompt: "FAIL 400: output_config.schema: unknown keyword in property 'monthly spend limit'",
    outcome: { reason: "request" },
  },
  "a wrong request that quotes a disabled organization": {
    prompt: "FAIL 400: tools.3.description: 'fails when this organization has been disabled' is too long",
    outcome: { reason: "request" },
  },
  "a model that the key may not use": {
    prompt: "FAIL 403: Your API key has no access to the model claude-x",
    outcome: { reason: "model" },
  },
  "a wrong request, after a subagent met the five-hour limit": {
    prompt: `${agent(`FAIL 429 ${claim("five_hour", hour)}: over`)}\n THEN FAIL 400: image too large`,
    outcome: { reason: "request" },
  },
  "a fault of the API, after a subagent met the Opus limit": {
    prompt: `${agent(`FAIL 429 ${claim("seven_day_opus", days)}: over`)}\n THEN FAIL 500: broken`,
    outcome: { reason: "server-error" },
  },
  "a payment that is due": { prompt: "FAIL 402: payment required", outcome: { reason: "billing" }, held: "" },
};

describeReal("the real claude passes on", () => {
  const standIn = useStandIn();

  for (const [name, { prompt, outcome, held, model }] of Object.entries(refusals)) {
    test(`${name}: ${outcome.reason}`, async () => {
      const ended = await runReal(
        {
          claude: claude?.path ?? "claude",
          home: standIn.home,
          args: model === undefined ? [] : [`--model=${model}`],
          environment: {
            ANTHROPIC_BASE_URL: standIn.api.baseUrl,
            CLAUDE_CODE_OAUTH_TOKEN: "made-up",
            CLAUDE_CODE_MAX_RETRIES: "0",
          },
        },
        prompt,
      );
      const found = outcomeFor(ended);
      const { resetsAt } = outcome;
      expect(found).toMatchObject({
        kind: "failed",
        ...outcome,
        ...(resetsAt === undefined ? {} : { resetsAt: resetsAt * 1000 }),
      });
      const facts = { probed: false, othersAnswered: false, patienceMs: 1, now: Date.now() };
      expect(holdFor(found, { ...facts, model })?.model).toEqual(held);
    });
  }
});

function outcomeFor({ lines, exitCode, stderr }: Ended) {
  const reading = newReading();
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  for (const line of new LineCutter().push(Buffer.from(text))) applyLine(reading, line);
  return outcomeOf({
    reading,
    exit: { code: exitCode },
    stderrTail: stderr,
    structured: false,
    slashCommands: false,
    now: Date.now(),
  });
}
