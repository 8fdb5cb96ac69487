// What a batch has spent and on what, and what the rest may still cost: the same fields in every answer.
import { z } from "zod";
import { type Estimate, estimateOf, type Interval, timeLeftMs } from "../model/estimate.ts";
import type { BatchState } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { costText, countText, numberText } from "./amounts.ts";
import { costToComeText } from "./estimate-text.ts";
import { oneLine } from "./harmless.ts";

const interval = z.object({ expected: z.number(), low: z.number(), high: z.number() });

export const spendingFields = {
  totalCostUsd: z.number(),
  costAtLeast: z.boolean().optional().meta({
    description: "A session ended without reporting its cost, so the batch cost more than `totalCostUsd`.",
    listed: false,
  }),
  costByModel: z
    .record(z.string(), z.number())
    .optional()
    .meta({ description: "Cost by model, in US dollars.", listed: false }),
  billedTo: z
    .array(z.object({ source: z.string(), costUsd: z.number() }))
    .optional()
    .meta({
      description: "Billed credentials, as Claude Code names them. `none` is a login.",
      listed: false,
    }),
  promptCache: z
    .object({
      writtenTokens: z.int(),
      readTokens: z.int(),
      savedUsd: z
        .number()
        .optional()
        .meta({ description: "By how much that was cheaper than writing them." }),
    })
    .optional()
    .meta({
      description:
        "What the sessions wrote to Claude's prompt cache in their first calls, and what they read there because other sessions had written it.",
      listed: false,
    }),
  batchBudgetUsd: z.number().optional().meta({ listed: false }),
  secondsLeft: z
    .int()
    .optional()
    .meta({ description: "Estimate of the time left, in seconds.", listed: false }),
  costToComeUsd: z
    .number()
    .optional()
    .meta({ description: "Estimate of the cost still to come, in US dollars.", listed: false }),
  estimate: z
    .object({
      tasks: z.int().meta({ description: "How many tasks have not ended." }),
      summarySessions: z
        .int()
        .optional()
        .meta({ description: "How many more sessions the summary takes, which are included." }),
      basedOn: z.int().meta({ description: "How many tasks it is based on." }),
      costUsd: interval.optional(),
      seconds: interval,
      tokens: interval.optional(),
    })
    .optional()
    .meta({
      description:
        "What the tasks that have not ended will probably cost, take and use: an expected value, and an interval (`low`, `high`) that holds the truth in nine of ten batches.",
      listed: false,
    }),
};
export type SpendingFields = z.infer<z.ZodObject<typeof spendingFields>>;

interface Now {
  word: StateWord;
  /** This and the end of its hold, in milliseconds since 1970. */
  now: number;
  heldUntil?: number | undefined;
}

/** With estimates if the batch runs or has paused. */
export function spendingOf(state: BatchState, { word, now, heldUntil }: Now): SpendingFields {
  const { byModel, bySource } = state.spending;
  const models = [...byModel].flatMap(([model, { costUsd }]) =>
    costUsd === undefined ? [] : [[model, rounded(costUsd)] as const],
  );
  const leftMs = word === "running" ? timeLeftMs(state, now, heldUntil) : undefined;
  const estimate = goesOn(word) ? estimateOf(state, { now, heldUntil }) : undefined;
  return {
    totalCostUsd: rounded(state.totalCostUsd),
    ...(state.costAtLeast ? { costAtLeast: true } : {}),
    ...(models.length === 0 ? {} : { costByModel: Object.fromEntries(models) }),
    ...(bySource.size === 0
      ? {}
      : { billedTo: [...bySource].map(([source, costUsd]) => ({ source, costUsd: rounded(costUsd) })) }),
    ...promptCacheOf(state),
    ...(state.budgetUsd === undefined ? {} : { batchBudgetUsd: state.budgetUsd }),
    ...(leftMs === undefined ? {} : { secondsLeft: Math.round(leftMs / 1000) }),
    ...(estimate?.costUsd ? { costToComeUsd: rounded(estimate.costUsd.expected) } : {}),
    ...(estimate ? { estimate: estimateFieldsOf(estimate) } : {}),
  };
}

// Of one session alone, nothing is shared.
function promptCacheOf({ spending: { firstCalls } }: BatchState): Pick<SpendingFields, "promptCache"> {
  if (!firstCalls || firstCalls.sessions < 2) return {};
  const { cacheWritten, cacheRead, savedUsd } = firstCalls;
  const saved = savedUsd === undefined ? {} : { savedUsd: rounded(savedUsd) };
  return { promptCache: { writtenTokens: cacheWritten, readTokens: cacheRead, ...saved } };
}

/** "70,109 tokens written, 220,041 read, which saved about $1.01"; undefined if no session could share anything. */
export function promptCacheText(state: BatchState): string | undefined {
  const { promptCache } = promptCacheOf(state);
  if (!promptCache) return undefined;
  const { writtenTokens, readTokens, savedUsd = 0 } = promptCache;
  const saved = savedUsd > 0 ? `, which saved about ${costText(savedUsd)}` : "";
  return `${countText(writtenTokens, "token")} written, ${numberText(readTokens)} read${saved}`;
}

/** Whether tasks of a batch are still to come: while it runs, and after its sample. */
function goesOn(word: StateWord): boolean {
  return word === "running" || word === "paused";
}

function estimateFieldsOf({
  tasks,
  summarySessions,
  basedOn,
  costUsd,
  milliseconds,
  tokens,
}: Estimate): NonNullable<SpendingFields["estimate"]> {
  return {
    tasks,
    ...(summarySessions > 0 ? { summarySessions } : {}),
    basedOn,
    ...(costUsd ? { costUsd: mapped(costUsd, rounded) } : {}),
    seconds: mapped(milliseconds, (ms) => Math.round(ms / 1000)),
    ...(tokens ? { tokens: mapped(tokens, Math.round) } : {}),
  };
}

function mapped({ expected, low, high }: Interval, change: (value: number) => number): Interval {
  return { expected: change(expected), low: change(low), high: change(high) };
}

/** Removes errors of binary fractions: six digits are a thousandth of a tenth of a cent. */
export function rounded(costUsd: number): number {
  return Math.round(costUsd * 1e6) / 1e6;
}

/** "$1.20 of a budget of $5.00, about $3.10 ($2.20 to $5.00) to come; claude-opus $0.90, claude-haiku $0.30; billed to the login". */
export function spendingText(state: BatchState, { word, now, heldUntil }: Now): string {
  const { spending, budgetUsd, totalCostUsd, costAtLeast } = state;
  const estimate = goesOn(word) ? estimateOf(state, { now, heldUntil }) : undefined;
  const rest = estimate && costToComeText(estimate);
  const of = budgetUsd === undefined ? "" : ` of a budget of ${costText(budgetUsd)}`;
  const toCome = rest === undefined ? "" : `, about ${rest} to come`;
  const models = [...spending.byModel].flatMap(([model, { costUsd }]) =>
    costUsd === undefined ? [] : [`${oneLine(model, 60)} ${costText(costUsd)}`],
  );
  const billedTo = billedToText(state);
  return [
    `${costText(totalCostUsd, costAtLeast)}${of}${toCome}`,
    ...(models.length > 1 ? [models.join(", ")] : []),
    ...(billedTo === undefined ? [] : [`billed to ${billedTo}`]),
  ].join("; ");
}

/** "the login and ANTHROPIC_API_KEY"; undefined if nothing was spent. */
export function billedToText({ spending: { bySource } }: BatchState): string | undefined {
  const sources = [...bySource.keys()].map((source) =>
    source === "none" ? "the login" : oneLine(source, 60),
  );
  return sources.length === 0 ? undefined : sources.join(" and ");
}
