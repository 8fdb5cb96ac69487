// The table of every known refusal: docs/limits.md. What the program does comes from the engine, and is not repeated here.
import { type LimitName, limits } from "../../src/claude/limits.ts";
import { holdFor, longestHoldMs } from "../../src/engine/account/hold.ts";
import { retryDelayMs } from "../../src/engine/scheduler/retry.ts";
import { familyIn } from "../../src/model/limit-types.ts";
import { type LimitSample, limitSamples, outcomeOfSample, sampleNow } from "../../test/limit-samples.ts";

const facts = { probed: false, othersAnswered: false, patienceMs: Number.POSITIVE_INFINITY, now: sampleNow };

/** The whole document, line by line. */
export const limitsPage: string[] = [
  "# Limits: each refusal, what the program does, and for how long",
  "",
  "Written by `bun run docs` from `src/claude/limits.ts`, `src/engine/account/hold.ts` and `test/limit-samples.ts`; `test/claude/limits.test.ts` and",
  "`test/engine/hold.test.ts` try each line. The first matching row applies. Fields take precedence over the message text. Of the text, only known sentences count, and only where it begins with one.",
  "",
  "| refusal | what the program does | for how long |",
  "| --- | --- | --- |",
  ...limits.map(({ name, is }) => `| ${[is, deed(name), howLong(name)].join(" | ")} |`),
  "| A warning (`allowed_warning`), or use beyond the plan (`isUsingOverage`) | nothing | – |",
  "",
  "**Held** means that no affected session starts, in any batch of the account, and that no task fails because of it. When the hold expires, one",
  "session tries. The others follow once the API has answered it. A hold with no known end lasts at most `loginPatienceSeconds` (one day), for each",
  "batch from when it began to wait. Then the task that hit it fails with that reason, and affected queued tasks are cancelled (`cancelled: hold`).",
  `The program waits for a given reset, at most ${longestHoldMs / 86_400_000} days, then one session tries. \`doctor\` makes every hold try immediately, with one session.`,
  "",
  "A 401 or 403 whose message mentions a model fails its task alone, with the reason `model`.",
  "",
  "## What each refusal looks like",
  "",
  "The event is `rate_limit_event`. “Seen” names the versions of Claude Code that printed it, against a simulated API; an empty cell means that the form was",
  "reported by users or found in the executable. 2.1.197 prints no `api_error`. `FAIL` lines of `test/real/messages-api.ts` produce the forms that were seen (`test/real/limits.real.ts`).",
  "",
  "| refusal | status | error | `api_error` | event | text | seen |",
  "| --- | --- | --- | --- | --- | --- | --- |",
  ...limits.flatMap(({ name }) => limitSamples[name].map((sample) => formRow(name, sample))),
  "",
];

function outcomesOf(name: LimitName) {
  const reason = limits.find((limit) => limit.name === name)?.reason ?? "execution";
  return limitSamples[name].map((sample) => outcomeOfSample(sample, reason));
}

function deed(name: LimitName): string {
  const [outcome] = outcomesOf(name);
  const hold = outcome && holdFor(outcome, { ...facts, model: familyIn(outcome.limitType) ?? "sonnet[1m]" });
  if (!hold) return "halves the pace and queues the task again";
  if (hold.model === "") return "holds the account";
  return hold.model.startsWith("=") ? "holds only the requested model name" : "holds that model family";
}

function howLong(name: LimitName): string {
  const outcomes = outcomesOf(name);
  const unnamed = outcomes.find(({ resetsAt }) => resetsAt === undefined) ?? outcomes[0];
  if (!unnamed) return "";
  const held = (tries: number) => {
    const outcome = { ...unnamed };
    delete outcome.resetsAt;
    const existing = { since: sampleNow, until: sampleNow, tries };
    return (holdFor(outcome, { ...facts, existing })?.until ?? sampleNow) - sampleNow;
  };
  if (held(0) === 0) {
    const tried = { outcome: unnamed, earlier: [], retries: 0, adopted: false, held: false };
    return `${timeText(retryDelayMs(tried, 1) ?? 0)}, doubled up to 5 min; 12 attempts`;
  }
  const tries = `one session tries after ${timeText(held(0))}, then at least every ${timeText(held(30))}, until patience runs out`;
  const named = outcomes.some(({ resetsAt }) => resetsAt !== undefined);
  return named ? `until the reset; if none is given, ${tries}` : tries;
}

function timeText(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`;
}

function formRow(name: LimitName, { status, kind, code, event, text, seen }: LimitSample): string {
  const quoted = (value: unknown) => (value === undefined ? "" : `\`${value}\``);
  const fields =
    event &&
    Object.entries(event).map(([key, value]) => (typeof value === "number" ? key : `${key}: ${value}`));
  const shown =
    fields === undefined ? "" : fields.length === 0 ? "`rejected` alone" : quoted(fields.join(", "));
  const cells = [
    name,
    status ?? "",
    quoted(kind),
    quoted(code),
    shown,
    text.replaceAll("|", "\\|"),
    seen ?? "",
  ];
  return `| ${cells.join(" | ")} |`;
}
