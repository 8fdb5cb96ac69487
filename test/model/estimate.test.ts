// What the rest of a batch is expected to cost, take and use.
import { describe, expect, test } from "bun:test";
import {
  estimateOf,
  haveAllFailed,
  medianCostUsd,
  paidSessionsOf,
  sumOfMore,
} from "../../src/model/estimate.ts";
import type { Event } from "../../src/model/event.ts";
import type { BatchState } from "../../src/model/state.ts";
import { families } from "../fixtures/costs/families.ts";
import { batchSizes, simulated } from "../fixtures/costs/simulated.ts";
import { after, crashed, created, ended, event, started, succeeded, usageOf } from "./events.ts";

// Of six tasks, those that have ended cost so much; one more runs.
function afterCosts(costs: readonly number[], ...more: Event[]): BatchState {
  const events = costs.flatMap((cost, index) => [
    started(2, index + 1, 1),
    ended(3, index + 1, 1, succeeded, { usage: usageOf(cost) }),
  ]);
  return after(created(6), ...events, started(4, 6, 1), ...more);
}

const costOf = (state: BatchState) => estimateOf(state, { now: 5 })?.costUsd;

test("a session costs the median, of two in the middle the higher", () => {
  expect(medianCostUsd(afterCosts([]))).toBeUndefined();
  expect(medianCostUsd(afterCosts([5, 1, 2]))).toBe(2);
  expect(medianCostUsd(afterCosts([5, 1, 2, 3]))).toBe(3);
});

test("what is queued and what runs is expected to cost the mean each", () => {
  expect(costOf(afterCosts([]))).toBeUndefined();
  const estimate = estimateOf(afterCosts([1, 2, 6]), { now: 5 });
  expect(estimate).toMatchObject({ tasks: 3, basedOn: 3 });
  expect(estimate?.costUsd?.expected).toBeCloseTo(9);
});

test("of a batch that is being cancelled or has ended, nothing is expected", () => {
  expect(costOf(afterCosts([2], event(5, { type: "cancel-requested", by: "user" })))).toBeUndefined();
  const all = [2, 2, 2, 2, 2];
  expect(
    costOf(afterCosts(all, ended(5, 6, 1, succeeded), event(6, { type: "batch-ended" }))),
  ).toBeUndefined();
});

test("tasks that were cancelled, or never had a session, show nothing", () => {
  const cancelled = ended(3, 1, 1, { kind: "cancelled", by: "user" }, { usage: usageOf(9) });
  const never = ended(4, 2, 0, { kind: "not-started", message: "" });
  expect(estimateOf(after(created(6), started(2, 1, 1), cancelled, never), { now: 5 })).toBeUndefined();
});

test("tasks that failed show something only beside one that succeeded", () => {
  const failed = [1, 2].flatMap((task) => [
    started(2, task, 1),
    ended(3, task, 1, crashed, { usage: usageOf(9) }),
  ]);
  const state = after(created(6), ...failed);
  expect([estimateOf(state, { now: 5 }), haveAllFailed(state)]).toEqual([undefined, true]);
  const one = after(
    created(6),
    ...failed,
    started(2, 3, 1),
    ended(3, 3, 1, succeeded, { usage: usageOf(3) }),
  );
  expect(haveAllFailed(one)).toBe(false);
  expect(estimateOf(one, { now: 5 })).toMatchObject({ tasks: 3, basedOn: 3 });
  expect(haveAllFailed(after(created(6)))).toBe(false);
});

test("a retried task counts with what all its attempts cost", () => {
  const state = after(
    created(2),
    started(2, 1, 1),
    ended(3, 1, 1, crashed, { usage: usageOf(1), retryAt: 4 }),
    started(4, 1, 2),
    ended(5, 1, 2, succeeded, { usage: usageOf(2) }),
  );
  expect(costOf(state)?.expected).toBe(3);
});

test("equal tasks and the summary are counted as what will be paid", () => {
  const equal = { prompt: "same", sameAs: 1 };
  const batch = {
    tasks: [{ prompt: "same" }, equal, { prompt: "b" }, { prompt: "c" }, { ...equal, sameAs: 4 }],
  };
  const events = [started(2, 3, 1), ended(3, 3, 1, succeeded, { usage: usageOf(2) })];
  const plain = estimateOf(after(created(5, { batch }), ...events), { now: 5 });
  expect(plain).toMatchObject({ tasks: 2, summarySessions: 0 });
  expect(plain?.costUsd?.expected).toBeCloseTo(4);
  const summarized = estimateOf(
    after(created(5, { batch: { ...batch, summarize: { text: "x" } } }), ...events),
    { now: 5 },
  );
  expect(summarized).toMatchObject({ tasks: 2, summarySessions: 1 });
  expect(summarized?.costUsd?.expected).toBeCloseTo(6);
  expect(summarized?.milliseconds.expected ?? 0).toBeGreaterThan(plain?.milliseconds.expected ?? 0);
});

test("what a batch has paid and has still to pay leaves out answers that were used again", () => {
  const batch = {
    summarize: { text: "x" },
    tasks: [{ prompt: "a" }, { prompt: "a", sameAs: 1 }, { prompt: "b" }, { prompt: "b", sameAs: 3 }],
  };
  const reused = { batchId: "bcdfghjk", task: 1, at: 3, sessionId: "s", transcript: "/t" };
  const state = after(
    created(4, { batch }),
    started(2, 1, 1),
    ended(3, 1, 1, succeeded, { usage: usageOf(2) }),
    ended(4, 2, 0, { ...succeeded, reused }, { usage: usageOf(0) }),
    event(5, { type: "cancel-requested", by: "budget", tasks: [3, 4] }),
  );
  expect(paidSessionsOf(state)).toEqual({ ended: 1, toCome: 2 });
  // A batch of which something remains stopped gets no summary.
  expect(paidSessionsOf(state, [3])).toEqual({ ended: 1, toCome: 1 });
  expect(paidSessionsOf(state, [3, 4])).toEqual({ ended: 1, toCome: 2 });
});

test("tokens of all kinds and models are added up", () => {
  const models = {
    opus: { input: 1, output: 2, cacheRead: 30, cacheWritten: 400 },
    haiku: { input: 5_000, output: 0, cacheRead: 0, cacheWritten: 0 },
  };
  const state = after(
    created(3),
    started(2, 1, 1),
    ended(3, 1, 1, succeeded, { usage: usageOf(1, { models }) }),
  );
  expect(estimateOf(state, { now: 5 })?.tokens?.expected).toBeCloseTo(2 * 5_433);
});

describe("the time", () => {
  const sample = (batch: object) =>
    after(
      created(202, { batch: { sample: [51, 152], ...batch } }),
      ...[51, 152].flatMap((task) => [
        started(1_001, task, 1),
        ended(3_001, task, 1, succeeded, { usage: usageOf(1) }),
      ]),
      event(4_001, { type: "batch-paused" }),
    );
  const secondsOf = (batch: object) =>
    (estimateOf(sample(batch), { now: 4_001 })?.milliseconds.expected ?? 0) / 1_000;

  test("after a sample is that with as many at once as the batch may have, not only as the sample had", () => {
    expect(secondsOf({ concurrency: 1 })).toBe(400);
    expect(secondsOf({ concurrency: 20 })).toBe(20);
    expect(secondsOf({ concurrency: 20, slots: 10 })).toBe(40);
    // 4 s of work within 4 s.
    expect(secondsOf({ concurrency: "auto" })).toBe(400);
  });

  test("lies in its interval, which has room for a long one at the end", () => {
    const { low = 0, high = 0 } = estimateOf(sample({ concurrency: 20 }), { now: 4_001 })?.milliseconds ?? {};
    expect(low).toBeLessThan(20_000);
    expect(high).toBeGreaterThan(22_000);
  });
});

describe("a sum", () => {
  test("is not known of nothing, and of values that are all zero", () => {
    expect(sumOfMore([], 5)).toBeUndefined();
    expect(sumOfMore([0, 0], 5)).toBeUndefined();
    expect(sumOfMore([1], 0)).toBeUndefined();
  });

  test("is expected in its interval, whatever the values are", () => {
    for (const values of [[1], [1, 1e9], [1e-9, 1e-9, 1e-9], [0, 0, 0, 5], Array(500).fill(3)]) {
      const { low = 0, expected = 0, high = 0 } = sumOfMore(values, 10) ?? {};
      expect(low).toBeGreaterThan(0);
      expect(expected).toBeGreaterThanOrEqual(low);
      expect(high).toBeGreaterThanOrEqual(expected);
      expect(Number.isFinite(high)).toBe(true);
    }
  });

  test("grows with the unit and the count", () => {
    const one = sumOfMore([1, 2, 4], 100);
    const cents = sumOfMore([100, 200, 400], 100);
    expect((cents?.high ?? 0) / (one?.high ?? 1)).toBeCloseTo(100);
    expect((cents?.low ?? 0) / (one?.low ?? 1)).toBeCloseTo(100);
  });

  test("is known better from more values", () => {
    const widthOf = (count: number) => {
      const values = Array.from({ length: count }, (_, index) => [1, 2, 4, 8][index % 4] ?? 1);
      const { low = 0, high = 0 } = sumOfMore(values, 100) ?? {};
      return high / low;
    };
    const widths = [4, 8, 20, 100, 500].map(widthOf);
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    expect(widths.at(-1)).toBeLessThan(1.5);
  });
});

/** Fewer of those that are large. Chance is the same in each run. */
const simulatedBatches: Record<number, number> = { 200: 1_000, 1000: 400, 5000: 200 };

describe("after 2 % of the tasks, in hundreds of simulated batches", () => {
  for (const family of families)
    for (const tasks of batchSizes)
      test(`the interval holds what the rest of ${tasks} tasks costs: ${family.name}`, () => {
        const { heldPercent, medianRatio } = simulated(family, tasks, {
          batches: simulatedBatches[tasks] ?? 0,
        });
        expect(heldPercent).toBeGreaterThanOrEqual(90);
        // Four tasks of 200 say little of a heavy tail; 20 and 100 say more.
        expect(medianRatio).toBeLessThan({ 200: 32, 1000: 8, 5000: 3 }[tasks] ?? 1);
      });
});
