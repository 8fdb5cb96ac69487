// What a session's process has spent, from the results that it printed.
import type { ModelUsage, Spent } from "../model/outcome.ts";
import type { ResultMessage } from "./message.ts";
import type { ModelUsages } from "./message-shapes.ts";

/** What the results of a process report, accumulated. */
export interface Spending {
  /** The sum of what each result reported for itself; undefined if one of them did not. */
  since: Spent | undefined;
  /** The last result's total for the process and, since 2.1.277, for the conversation that it continued. */
  total: Spent | undefined;
}

/** No result yet. */
export function newSpending(): Spending {
  return { since: { costUsd: 0, models: {} }, total: undefined };
}

/** Adds a result, whatever caused it: it was paid for. */
export function applyResult(spending: Spending, result: ResultMessage): void {
  const { model_usage_since_last_result: since, modelUsage, total_cost_usd: costUsd } = result;
  if (costUsd !== undefined) spending.total = { costUsd, models: usagesOf(modelUsage) };
  if (since === undefined || Object.values(since).some(({ costUSD }) => costUSD === undefined))
    spending.since = undefined;
  else if (spending.since) {
    const models = combined(spending.since.models, usagesOf(since), 1);
    spending.since = { costUsd: sumOf(models), models };
  }
}

/**
 * What this process spent; undefined if no result reported anything. `before`: what the conversation had cost when it was
 * continued, if the CLI includes that. `isWhole`: no result was lost, whose own part would be missing.
 */
export function spentOf(
  { since, total }: Spending,
  { before, isWhole }: { before: Spent | undefined; isWhole: boolean },
): Spent | undefined {
  if (total === undefined) return undefined;
  if (since && isWhole) return since;
  if (!before) return total;
  const models = Object.entries(combined(total.models, before.models, -1)).filter(
    ([, { input, output, cacheRead, cacheWritten }]) => input + output + cacheRead + cacheWritten > 0,
  );
  return {
    costUsd: Math.max(0, total.costUsd - before.costUsd),
    models: Object.fromEntries(models),
  };
}

/** Tokens and cost from the CLI's fields. */
export function usagesOf(usages: ModelUsages): Record<string, ModelUsage> {
  return Object.fromEntries(
    Object.entries(usages ?? {}).map(([model, used]) => {
      const { inputTokens: input, outputTokens: output } = used;
      const { cacheReadInputTokens: cacheRead, cacheCreationInputTokens: cacheWritten } = used;
      const cost = used.costUSD === undefined ? {} : { costUsd: used.costUSD };
      return [model, { input, output, cacheRead, cacheWritten, ...cost }];
    }),
  );
}

function combined(
  one: Record<string, ModelUsage>,
  other: Record<string, ModelUsage>,
  sign: 1 | -1,
): Record<string, ModelUsage> {
  const sum = { ...one };
  for (const [model, added] of Object.entries(other)) {
    const before = sum[model] ?? { input: 0, output: 0, cacheRead: 0, cacheWritten: 0, costUsd: 0 };
    const plus = (a: number, b: number) => Math.max(0, a + sign * b);
    const known = before.costUsd !== undefined && added.costUsd !== undefined;
    sum[model] = {
      input: plus(before.input, added.input),
      output: plus(before.output, added.output),
      cacheRead: plus(before.cacheRead, added.cacheRead),
      cacheWritten: plus(before.cacheWritten, added.cacheWritten),
      ...(known ? { costUsd: plus(before.costUsd ?? 0, added.costUsd ?? 0) } : {}),
    };
  }
  return sum;
}

function sumOf(models: Record<string, ModelUsage>): number {
  return Object.values(models).reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
}
