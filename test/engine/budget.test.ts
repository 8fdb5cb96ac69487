// Whether the budget of a batch allows one more session.
import { expect, test } from "bun:test";
import { budgetVerdict } from "../../src/engine/scheduler/budget.ts";
import type { BatchState } from "../../src/model/state.ts";

/** What the attempts cost that said it, and what those said at least that were cut off. */
function stateOf(
  budgetUsd: number | undefined,
  known: number[],
  cutOff: number[],
  { running = 0, maxBudgetUsd }: { running?: number; maxBudgetUsd?: number } = {},
): BatchState {
  const ascending = [...known].sort((a, b) => a - b);
  const totalCostUsd = [...known, ...cutOff].reduce((sum, usd) => sum + usd, 0);
  const parts = {
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    totalCostUsd,
    unknownCosts: cutOff,
    batch: { sessionOptions: { maxBudgetUsd } },
    spending: { ascending, byModel: new Map(), bySource: new Map() },
    counts: { queued: 1, running, succeeded: 0, failed: 0, cancelled: 0 },
  };
  return parts as unknown as BatchState;
}

test("without a budget, and below it, sessions start", () => {
  expect(budgetVerdict(stateOf(undefined, [100], []))).toBe("go");
  expect(budgetVerdict(stateOf(10, [1, 2, 3], []))).toBe("go");
});

test("what runs is expected to cost the median of those that ended", () => {
  expect(budgetVerdict(stateOf(10, [1, 2, 3], [], { running: 1 }))).toBe("go");
  expect(budgetVerdict(stateOf(10, [1, 2, 3], [], { running: 2 }))).toBe("wait");
  expect(budgetVerdict(stateOf(6, [1, 2, 3], []))).toBe("spent");
});

test("so is one that was cut off before it said what it spent, and not less than it did say", () => {
  expect(budgetVerdict(stateOf(10, [1, 2, 3], [0]))).toBe("go");
  expect(budgetVerdict(stateOf(10, [1, 2, 3], [0, 0]))).toBe("spent");
  expect(budgetVerdict(stateOf(10, [1, 2, 3], [0, 1.9]))).toBe("spent");
  expect(budgetVerdict(stateOf(10.5, [1, 2, 3], [3]))).toBe("go");
  expect(budgetVerdict(stateOf(9, [1, 2, 3], [3]))).toBe("spent");
});

test("as long as nothing is known, one that was cut off may have spent all that it was allowed to", () => {
  expect(budgetVerdict(stateOf(10, [], [0, 0, 0], { maxBudgetUsd: 3 }))).toBe("go");
  expect(budgetVerdict(stateOf(10, [], [0, 0, 0, 0], { maxBudgetUsd: 3 }))).toBe("spent");
  expect(budgetVerdict(stateOf(10, [], [0, 0, 0, 0]))).toBe("go");
});
