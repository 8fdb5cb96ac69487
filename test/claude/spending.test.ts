// What a process spent, from what its results say.
import { describe, expect, test } from "bun:test";
import { applyResult, newSpending, spentOf, usagesOf } from "../../src/claude/spending.ts";
import { resultMessage } from "./result-message.ts";

/** Tokens of one model as the CLI says them: so many calls at one US dollar each. */
function calls(count: number, costUSD: number | undefined = count) {
  return {
    inputTokens: count,
    outputTokens: 2 * count,
    cacheReadInputTokens: 3 * count,
    cacheCreationInputTokens: 4 * count,
    ...(costUSD === undefined ? {} : { costUSD }),
  };
}

/** The same as we keep it. */
function kept(count: number, costUsd: number | undefined = count) {
  return {
    input: count,
    output: 2 * count,
    cacheRead: 3 * count,
    cacheWritten: 4 * count,
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}

const whole = { before: undefined, isWhole: true };

test("tokens have our names, and a cost where the CLI says one", () => {
  expect(usagesOf({ opus: calls(1), haiku: { ...calls(2), costUSD: undefined } })).toEqual({
    opus: kept(1),
    haiku: { input: 2, output: 4, cacheRead: 6, cacheWritten: 8 },
  });
  expect(usagesOf(undefined)).toEqual({});
});

test("without a result nothing is known", () => {
  expect(spentOf(newSpending(), whole)).toBeUndefined();
});

describe("where each result says what its own turn cost", () => {
  const spending = newSpending();
  applyResult(
    spending,
    resultMessage({
      total_cost_usd: 11,
      modelUsage: { opus: calls(11) },
      model_usage_since_last_result: { opus: calls(1) },
    }),
  );
  applyResult(
    spending,
    resultMessage({
      total_cost_usd: 14,
      modelUsage: { opus: calls(13), haiku: calls(1) },
      model_usage_since_last_result: { opus: calls(2), haiku: calls(1) },
    }),
  );
  const before = { costUsd: 10, models: { opus: kept(10) } };

  test("these add up, whatever the conversation had cost", () => {
    const sum = { costUsd: 4, models: { opus: kept(3), haiku: kept(1) } };
    expect(spentOf(spending, { before, isWhole: true })).toEqual(sum);
    expect(spentOf(spending, whole)).toEqual(sum);
  });

  test("and one was lost, the total less what was before counts", () => {
    expect(spentOf(spending, { before, isWhole: false })).toEqual({
      costUsd: 4,
      models: { opus: kept(3), haiku: kept(1) },
    });
  });
});

describe("where a result says nothing of its own turn", () => {
  const spending = newSpending();
  const own = { model_usage_since_last_result: { opus: calls(1) } };
  applyResult(spending, resultMessage({ total_cost_usd: 5, modelUsage: { opus: calls(5) }, ...own }));
  applyResult(spending, resultMessage({ total_cost_usd: 6, modelUsage: { opus: calls(6), old: calls(2) } }));
  applyResult(
    spending,
    resultMessage({ total_cost_usd: 7, modelUsage: { opus: calls(7), old: calls(2) }, ...own }),
  );

  test("the last total counts", () => {
    expect(spentOf(spending, whole)).toEqual({ costUsd: 7, models: { opus: kept(7), old: kept(2) } });
  });

  test("less what the conversation had cost, without the models that this process did not use", () => {
    const before = { costUsd: 5, models: { opus: kept(5), old: kept(2) } };
    expect(spentOf(spending, { before, isWhole: true })).toEqual({ costUsd: 2, models: { opus: kept(2) } });
  });

  test("and never less than nothing", () => {
    const before = { costUsd: 100, models: { opus: kept(100) } };
    expect(spentOf(spending, { before, isWhole: true })).toEqual({ costUsd: 0, models: { old: kept(2) } });
  });

  test("a cost that is unknown on either side stays unknown", () => {
    const { costUsd: _, ...tokens } = kept(5);
    const spent = spentOf(spending, { before: { costUsd: 5, models: { opus: tokens } }, isWhole: true });
    expect(spent?.models["opus"]).toEqual({ input: 2, output: 4, cacheRead: 6, cacheWritten: 8 });
  });
});

test("a turn whose cost is not all known does not count as known", () => {
  const spending = newSpending();
  const { costUSD: _, ...tokens } = calls(1);
  applyResult(
    spending,
    resultMessage({
      total_cost_usd: 3,
      modelUsage: { opus: calls(3) },
      model_usage_since_last_result: { opus: tokens },
    }),
  );
  expect(spentOf(spending, whole)).toEqual({ costUsd: 3, models: { opus: kept(3) } });
});

test("a result without a total leaves the one before", () => {
  const spending = newSpending();
  applyResult(spending, resultMessage({ total_cost_usd: 3, modelUsage: { opus: calls(3) } }));
  applyResult(spending, resultMessage({}));
  expect(spentOf(spending, whole)?.costUsd).toBe(3);
});
