// What several attempts used together.
import type { FirstCallUsage, ModelUsage, Usage } from "./outcome.ts";

/** The sum of two usages of one model. */
export function sumOf(one: ModelUsage, other: ModelUsage): ModelUsage {
  const known = one.costUsd !== undefined || other.costUsd !== undefined;
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cacheRead: one.cacheRead + other.cacheRead,
    cacheWritten: one.cacheWritten + other.cacheWritten,
    ...(known ? { costUsd: (one.costUsd ?? 0) + (other.costUsd ?? 0) } : {}),
  };
}

/** The sum of what first calls used. */
export function sumOfFirstCalls(one: FirstCallUsage, other: FirstCallUsage): FirstCallUsage {
  const known = one.savedUsd !== undefined || other.savedUsd !== undefined;
  return {
    cacheRead: one.cacheRead + other.cacheRead,
    cacheWritten: one.cacheWritten + other.cacheWritten,
    ...(known ? { savedUsd: (one.savedUsd ?? 0) + (other.savedUsd ?? 0) } : {}),
  };
}

/**
 * What all attempts of a task used: money, tokens and turns are sums; duration, credential and denied tools are the last
 * one's. Undefined if no attempt reported anything.
 */
export function usageOfAll(usages: readonly Usage[]): Usage | undefined {
  const last = usages.at(-1);
  // The same object for both of them: thousands of tasks have one attempt.
  if (!last || usages.length === 1) return last;
  const models: Record<string, ModelUsage> = {};
  for (const [model, used] of usages.flatMap((usage) => Object.entries(usage.models ?? {}))) {
    const before = models[model];
    models[model] = before ? sumOf(before, used) : used;
  }
  const { models: _, atLeast: __, firstCall: ___, ...rest } = last;
  const firstCalls = usages.flatMap(({ firstCall }) => firstCall ?? []);
  return {
    ...rest,
    costUsd: usages.reduce((sum, { costUsd }) => sum + costUsd, 0),
    numTurns: usages.reduce((sum, { numTurns }) => sum + numTurns, 0),
    ...(usages.some(({ atLeast }) => atLeast) ? { atLeast: true } : {}),
    ...(Object.keys(models).length > 0 ? { models } : {}),
    ...(firstCalls.length > 0 ? { firstCall: firstCalls.reduce(sumOfFirstCalls) } : {}),
  };
}
