// What the rest of a batch is expected to cost.
import { expect, test } from "bun:test";
import { costToComeUsd, medianCostUsd } from "../../src/model/estimate.ts";
import type { Event } from "../../src/model/event.ts";
import { type BatchState, fold } from "../../src/model/state.ts";
import { created, ended, event, started, succeeded, usageOf } from "./events.ts";

// Of six tasks, those that have ended cost so much; one more runs.
function after(costs: readonly number[], ...more: Event[]): BatchState {
  const events = costs.flatMap((cost, index) => [
    started(2, index + 1, 1),
    ended(3, index + 1, 1, succeeded, { usage: usageOf(cost) }),
  ]);
  const state = fold([created(6), ...events, started(4, 6, 1), ...more]);
  if (!state) throw new Error("There is no state");
  return state;
}

test("a session costs the median, of two in the middle the higher", () => {
  expect(medianCostUsd(after([]))).toBeUndefined();
  expect(medianCostUsd(after([5, 1, 2]))).toBe(2);
  expect(medianCostUsd(after([5, 1, 2, 3]))).toBe(3);
});

test("what is queued and what runs is expected to cost as much each", () => {
  expect(costToComeUsd(after([]))).toBeUndefined();
  expect(costToComeUsd(after([2, 2, 4]))).toBe(6);
});

test("of a batch that is being cancelled or has ended, nothing is expected", () => {
  expect(costToComeUsd(after([2], event(5, { type: "cancel-requested", by: "user" })))).toBeUndefined();
  expect(costToComeUsd(after([2], event(5, { type: "batch-ended" })))).toBeUndefined();
});
