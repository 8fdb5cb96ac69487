// Whether the operator's budgets, over all batches, allow one more session.
import { medianCostUsd } from "../../model/estimate.ts";
import { type Span, type SpendPeriod, spanAround } from "../../model/spend-period.ts";
import type { BatchState } from "../../model/state.ts";
import type { WaitReason } from "../../model/wait-reason.ts";
import { spentUsd as spentOf } from "./budget.ts";

/** What sessions cost that ended at a time (milliseconds since 1970) or later, over all batches, in US dollars. */
export type SpentSince = (since: number) => number;

const words = {
  day: {
    limit: "daily",
    gone: "The daily budget is spent",
    span: "today",
    setting: "dailyBudgetUsd",
    next: "tomorrow",
  },
  month: {
    limit: "monthly",
    gone: "The monthly budget is spent",
    span: "this month",
    setting: "monthlyBudgetUsd",
    next: "next month",
  },
} as const satisfies Record<SpendPeriod, object>;

/**
 * Why no session may start, until the day or month is over. As with the budget of a batch, a running session of the batch
 * is expected to cost the median of those that ended; the running sessions of other batches are not known here. So what is
 * spent exceeds a budget at most by the rest of the sessions that run when it is reached. `starting`: sessions that have
 * started, and will get their prompts.
 */
export function spendLimitWait(
  state: BatchState,
  { spentSince, now, starting }: { spentSince: SpentSince; now: number; starting: number },
): WaitReason | undefined {
  const { spendLimits, counts } = state;
  const limits: [SpendPeriod, number | undefined][] = [
    ["month", spendLimits.monthUsd],
    ["day", spendLimits.dayUsd],
  ];
  for (const [period, limitUsd] of limits) {
    if (limitUsd === undefined) continue;
    const span = spanAround(now, period);
    // With what sessions of this batch that were cut off may have cost beyond their reports.
    const spentUsd = spentSince(span.since) + spentOf(state) - state.totalCostUsd;
    if (spentUsd >= limitUsd) return spentReason(period, { spentUsd, limitUsd, span });
    const expectedUsd = (counts.running + starting) * (medianCostUsd(state) ?? 0);
    if (spentUsd + expectedUsd >= limitUsd) return { because: nearlyText(period, spentUsd, limitUsd) };
  }
  return undefined;
}

function spentReason(
  period: SpendPeriod,
  { spentUsd, limitUsd, span }: { spentUsd: number; limitUsd: number; span: Span },
): WaitReason {
  const { gone, span: when, setting, next } = words[period];
  return {
    because: `${gone}: all batches have cost ${dollars(spentUsd)} ${when}, and \`${setting}\` is ${limitUsd}. Sessions start again ${next}, or after a retry of the batch with a higher \`${setting}\`.`,
    until: span.until,
  };
}

function nearlyText(period: SpendPeriod, spentUsd: number, limitUsd: number): string {
  const { limit, span } = words[period];
  return `Waits for running sessions: all batches have cost ${dollars(spentUsd)} ${span} of the ${limit} budget of ${dollars(limitUsd)}, and the running sessions are expected to cost the rest.`;
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`;
}
