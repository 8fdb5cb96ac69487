// What sessions have cost, by day, month, batch, model, directory or client. Batches that were removed are included.
import { z } from "zod";
import { periodName, type SpendPeriod, spanAround, spendPeriods } from "../../model/spend-period.ts";
import { costText, countText, timeText } from "../../report/amounts.ts";
import { oneLine } from "../../report/harmless.ts";
import { rounded } from "../../report/spending.ts";
import { type SpendingSum, spendingRow, spendingSum } from "../../report/spending-sums.ts";
import { type Spent, spentBetween, spentSince } from "../../store/spent.ts";
import { type Context, InputError, isStoreThere, valueOrThrow } from "../context.ts";
import { wrong } from "../fault.ts";
import { check } from "../faults.ts";
import { momentForms, momentFrom } from "../moment.ts";
import type { Operation } from "../operation.ts";
import { spendLimitsOf } from "../spend-limits.ts";

/** What can be summed up. */
export const spendKinds = ["day", "month", "batch", "model", "directory", "client"] as const;
export type SpendKind = (typeof spendKinds)[number];

export const spendInput = z.strictObject({
  since: z
    .string()
    .min(1)
    .meta({
      description:
        "From when: `12h`, `30d`, `today`, `month` for this month, `all`, or a date such as `2026-11-01`.",
      placeholder: "TIME",
      aliases: ["from", "start"],
    })
    .default("30d"),
  until: z
    .string()
    .min(1)
    .meta({
      description: "Until before when, in the same forms (default: now).",
      placeholder: "TIME",
      aliases: ["to", "end"],
    })
    .optional(),
  by: z
    .enum(spendKinds)
    .meta({ description: "What to sum up.", aliases: ["groupBy"] })
    .default("day"),
  limit: z
    .int()
    .min(1)
    .max(10_000)
    .meta({ description: "Most rows. The rest is summed up in `others`." })
    .default(100),
});
export type SpendAsked = z.output<typeof spendInput>;

export const spendOutput = z.object({
  since: z.string().meta({ description: "ISO 8601." }),
  until: z.string(),
  by: z.enum(spendKinds),
  total: spendingSum,
  rows: z.array(spendingRow),
  others: spendingSum.optional().meta({ description: "What is in no row." }),
  budgets: z
    .array(
      z.object({
        period: z.enum(spendPeriods),
        budgetUsd: z.number(),
        spentUsd: z.number(),
        until: z.string(),
      }),
    )
    .meta({ description: "The operator's budgets." }),
  message: z.string(),
});
export type Spending = z.infer<typeof spendOutput>;

export const reportSpending: Operation<typeof spendInput, typeof spendOutput> = {
  title: "Report what sessions have cost",
  description:
    "Sums up what sessions have cost, by day, month, batch, model, directory or client, including batches that were removed.",
  input: spendInput,
  output: spendOutput,
  run: async (context, input) => {
    return spending(context, valueOrThrow(check(spendInput, input)));
  },
};

/** What was spent. Throws `UserError` for a time that is none. */
export function spending(context: Context, asked: SpendAsked): Spending {
  const now = Date.now();
  const span = spanOf(asked, now);
  // Asking creates no store.
  const spent = isStoreThere(context) ? spentBetween(context.store.database, span.since, span.until) : [];
  return spendingOf(spent, { by: asked.by, limit: asked.limit, span, context, now });
}

// The first and the last quarter of an hour count whole, as costs are kept by quarters.
function spanOf({ since, until }: SpendAsked, now: number) {
  const read = (name: "since" | "until", text: string): number => {
    const at = momentFrom(text, now);
    if (at === undefined) throw new InputError([wrong([name], `must be ${momentForms}`)]);
    return at;
  };
  const span = { since: read("since", since), until: until === undefined ? now + 1 : read("until", until) };
  if (span.until <= span.since)
    throw new InputError([wrong(["until"], `must be later than ${timeText(span.since)}`)]);
  return span;
}

interface How {
  by: SpendKind;
  limit: number;
  span: { since: number; until: number };
  context: Context;
  now: number;
}

function spendingOf(spent: readonly Spent[], { by, limit, span, context, now }: How): Spending {
  const groups = [...Map.groupBy(spent, (one) => keyOf(one, by))].map(([of, some]) => {
    const name = by === "batch" ? some[0]?.name : null;
    return { of, ...(name === null || name === undefined ? {} : { name }), ...sumOf(some) };
  });
  const isOverTime = by === "day" || by === "month";
  const sorted = groups.sort((one, other) =>
    isOverTime ? one.of.localeCompare(other.of) : other.costUsd - one.costUsd,
  );
  // Of many days, the newest.
  const first = isOverTime ? Math.max(0, sorted.length - limit) : 0;
  const rows = sorted.slice(first, first + limit);
  const shown = new Set(rows.map(({ of }) => of));
  const rest = spent.filter((one) => !shown.has(keyOf(one, by)));
  const total = sumOf(spent);
  const budgets = budgetsOf(context, now);
  return {
    since: new Date(span.since).toISOString(),
    until: new Date(span.until).toISOString(),
    by,
    total,
    rows,
    ...(rest.length > 0 ? { others: sumOf(rest) } : {}),
    budgets,
    message: [totalText(total, span, now), ...budgets.map(budgetText)].join(" "),
  };
}

function keyOf(spent: Spent, by: SpendKind): string {
  switch (by) {
    case "day":
    case "month":
      return periodName(spent.quarter, by);
    case "batch":
      return spent.batchId;
    case "model":
      return spent.model === "" ? "unknown" : spent.model;
    case "directory":
      return spent.directory;
    default:
      return spent.client === null ? "command line" : oneLine(spent.client, 200);
  }
}

function sumOf(spent: readonly Spent[]): SpendingSum {
  const total = (of: (one: Spent) => number) => spent.reduce((sum, one) => sum + of(one), 0);
  return {
    costUsd: rounded(total(({ usd }) => usd)),
    ...(spent.some(({ atLeast }) => atLeast) ? { costAtLeast: true } : {}),
    sessions: total(({ sessions }) => sessions),
    batches: new Set(spent.map(({ batchId }) => batchId)).size,
    inputTokens: total(({ input }) => input),
    outputTokens: total(({ output }) => output),
    cacheReadTokens: total(({ cacheRead }) => cacheRead),
    cacheWrittenTokens: total(({ cacheWritten }) => cacheWritten),
  };
}

/** The operator's budgets, with how much of them is spent. */
export function budgetsOf(context: Context, now: number): Spending["budgets"] {
  const { dayUsd, monthUsd } = spendLimitsOf(context.configuration);
  const limits: Record<SpendPeriod, number | undefined> = { day: dayUsd, month: monthUsd };
  return spendPeriods.flatMap((period) => {
    const budgetUsd = limits[period];
    if (budgetUsd === undefined) return [];
    const { since, until } = spanAround(now, period);
    const spentUsd = isStoreThere(context) ? rounded(spentSince(context.store.database, since)) : 0;
    return [{ period, budgetUsd, spentUsd, until: new Date(until).toISOString() }];
  });
}

function totalText(
  { costUsd, costAtLeast, sessions, batches }: SpendingSum,
  span: How["span"],
  now: number,
): string {
  const since = span.since === 0 ? "" : ` since ${timeText(span.since)}`;
  const until = span.until > now ? "" : ` until ${timeText(span.until)}`;
  if (sessions === 0) return `Nothing was spent${since}${until}.`;
  const count = `${countText(sessions, "session")} in ${countText(batches, "batch", "batches")}`;
  return `${count}${since}${until} cost ${costText(costUsd, costAtLeast)}.`;
}

function budgetText({ period, budgetUsd, spentUsd }: Spending["budgets"][number]): string {
  const [limit, span] = period === "day" ? ["daily", "today"] : ["monthly", "this month"];
  return `Of the ${limit} budget of ${costText(budgetUsd)}, ${costText(spentUsd)} is spent ${span}.`;
}
