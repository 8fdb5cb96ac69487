// What the rest of a batch is expected to cost.
import { expect, test } from "bun:test";
import { costToComeUsd, medianCostUsd } from "../../src/model/estimate.ts";
import type { Event } from "../../src/model/event.ts";
import type { BatchState } from "../../src/model/state.ts";
import { after, created, ended, event, started, succeeded, usageOf } from "./events.ts";

// Of six tasks, those that have ended cost so much; one more runs.
function afterCosts(costs: readonly number[], ...more: Event[]): BatchState {
  const events = costs.flatMap((cost, index) => [
    started(2, index + 1, 1),
    ended(3, index + 1, 1, succeeded, { usage: usageOf(cost) }),
  ]);
  return after(created(6), ...events, started(4, 6, 1), ...more);
}

test("a session costs the median, of two in the middle the higher", () => {
  expect(medianCostUsd(afterCosts([]))).toBeUndefined();
  expect(medianCostUsd(afterCosts([5, 1, 2]))).toBe(2);
  expect(medianCostUsd(afterCosts([5, 1, 2, 3]))).toBe(3);
});

test("what is queued and what runs is expected to cost as much each", () => {
  expect(costToComeUsd(afterCosts([]))).toBeUndefined();
  expect(costToComeUsd(afterCosts([2, 2, 4]))).toBe(6);
});

test("of a batch that is being cancelled or has ended, nothing is expected", () => {
  expect(costToComeUsd(afterCosts([2], event(5, { type: "cancel-requested", by: "user" })))).toBeUndefined();
  expect(costToComeUsd(afterCosts([2], event(5, { type: "batch-ended" })))).toBeUndefined();
});
