// The table of every refusal that is known: docs/limits.md. What is done is asked of the engine, not written down again.
import { type LimitName, limits } from "../../src/claude/limits.ts";
import { holdFor, longestHoldMs } from "../../src/engine/hold.ts";
import { retryDelayMs } from "../../src/engine/retry.ts";
import { familyIn } from "../../src/model/limit-types.ts";
import { type LimitSample, limitSamples, outcomeOfSample, sampleNow } from "../../test/limit-samples.ts";

const facts = { probed: false, othersAnswered: false, patienceMs: Number.POSITIVE_INFINITY, now: sampleNow };

/** The whole document, line by line. */
export const limitsPage: string[] = [
  "# Limits: what each refusal is, what we do, and for how long",
  "",
  "Written by `bun run docs` from `src/claude/limits.ts`, `src/engine/hold.ts` and `test/limit-samples.ts`; `test/claude/limits.test.ts` and",
  "`test/engine/hold.test.ts` try each line. The first row that fits decides. A field decides before words do.",
  "",
  "| what it is | what we do | for how long |",
  "| --- | --- | --- |",
  ...limits.map(({ name, is }) => `| ${[is, deed(name), howLong(name)].join(" | ")} |`),
  "| A warning (`allowed_warning`), or use beyond the plan (`isUsingOverage`) | nothing | – |",
  "",
  "**Held** means that no session starts of what the hold concerns, in any batch of the account, and that no task fails by it. When the time has",
  "come, one session tries; the others follow once it has been answered. What waits for an end that nobody named has the patience",
  "of `loginPatienceSeconds` (a day). After that the task that met it fails with its reason, and what is queued behind it is cancelled",
  `(\`cancelled: hold\`). A reset that is named is waited for, ${longestHoldMs / 86_400_000} days at most before one session tries. \`doctor\` has logins, billing and credits tried at once.`,
  "",
  "## How each of them looks",
  "",
  "The event is `rate_limit_event`. “Seen” says which versions of Claude Code printed it, against a simulated API; where it is empty, the form was",
  "reported, or is in the program. 2.1.197 prints no `api_error`. `FAIL` lines of `test/real/messages-api.ts` produce the forms that were seen (`test/real/limits.real.ts`).",
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
  if (!hold) return "halves the pace, and queues the task again";
  if (hold.model === "") return "holds the account";
  return hold.model.startsWith("=")
    ? "holds the very model name that was asked for"
    : "holds the models of that family";
}

function howLong(name: LimitName): string {
  const outcomes = outcomesOf(name);
  const unnamed = outcomes.find(({ resetsAt }) => resetsAt === undefined) ?? outcomes[0];
  if (!unnamed) return "";
  const held = (tries: number) => {
    const outcome = { ...unnamed };
    delete outcome.resetsAt;
    const standing = { since: sampleNow, until: sampleNow, tries };
    return (holdFor(outcome, { ...facts, standing })?.until ?? sampleNow) - sampleNow;
  };
  if (held(0) === 0) {
    const tried = { outcome: unnamed, earlier: [], retries: 0, adopted: false, held: false };
    return `${timeText(retryDelayMs(tried, 1) ?? 0)}, doubled up to 5 min; 12 attempts`;
  }
  const tries = `one session tries after ${timeText(held(0))}, later every ${timeText(held(30))}, as long as patience lasts`;
  const named = outcomes.some(({ resetsAt }) => resetsAt !== undefined);
  return named ? `until the reset; where none is named, ${tries}` : tries;
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
