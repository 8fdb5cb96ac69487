// The operator's budgets over all batches: when they hold sessions back, and until when.
import { expect, test } from "bun:test";
import { spendLimitWait } from "../../src/engine/scheduler/spend-limit.ts";
import type { SpendLimits } from "../../src/model/event.ts";
import { apply, stateFrom } from "../../src/model/state.ts";
import { created, ended, started, succeeded, usageOf } from "../model/events.ts";

const now = Date.parse("2026-03-10T12:00:00");
const midnight = Date.parse("2026-03-11T00:00:00");
const nextMonth = Date.parse("2026-04-01T00:00:00");

/** What was spent today, and in this month before. */
interface Known {
  today: number;
  before: number;
  /** How many sessions of the batch run, and wait for their prompts; each costs a dollar. */
  running?: number;
  starting?: number;
}

function wait(spendLimits: SpendLimits, { today, before, running = 0, starting = 0 }: Known) {
  const state = stateFrom(created(10, { batch: { spendLimits } }));
  apply(state, started(1, 1, 1));
  apply(state, ended(2, 1, 1, succeeded, { usage: usageOf(1) }));
  for (let task = 2; task < 2 + running; task++) apply(state, started(3, task, 1));
  const asked: number[] = [];
  const spentSince = (since: number) => {
    asked.push(since);
    return since === Date.parse("2026-03-10T00:00:00") ? today : today + before;
  };
  return { found: spendLimitWait(state, { spentSince, now, starting }), asked };
}

test("without budgets, nothing is looked up", () => {
  expect(wait({}, { today: 1e9, before: 1e9 })).toEqual({ found: undefined, asked: [] });
});

test("what is spent today and in this month counts for its budget", () => {
  const both = { dayUsd: 5, monthUsd: 50 };
  expect(wait(both, { today: 4.99, before: 45 }).found).toBeUndefined();
  const { found, asked } = wait(both, { today: 5, before: 10 });
  expect(found).toEqual({
    because:
      "The daily budget is spent: all batches have cost $5.00 today, and `dailyBudgetUsd` is 5. Sessions start again tomorrow, or after a retry of the batch with a higher `dailyBudgetUsd`.",
    until: midnight,
  });
  expect(asked).toEqual([Date.parse("2026-03-01T00:00:00"), Date.parse("2026-03-10T00:00:00")]);
  expect(wait(both, { today: 1, before: 49 }).found).toMatchObject({
    because: expect.stringContaining("The monthly budget is spent: all batches have cost $50.00 this month"),
    until: nextMonth,
  });
  // The longer wait counts.
  expect(wait(both, { today: 60, before: 0 }).found).toMatchObject({ until: nextMonth });
});

test("a session that was cut off counts as much as others, beyond what it reported", () => {
  const state = stateFrom(created(10, { batch: { spendLimits: { dayUsd: 10 } } }));
  apply(state, started(1, 1, 1));
  apply(state, ended(2, 1, 1, succeeded, { usage: usageOf(3) }));
  apply(state, started(3, 2, 1));
  apply(state, ended(4, 2, 1, succeeded, { usage: usageOf(1, { atLeast: true }) }));
  const of = (todayUsd: number) => spendLimitWait(state, { spentSince: () => todayUsd, now, starting: 0 });
  expect(of(7.9)).toBeUndefined();
  expect(of(8)).toMatchObject({ until: midnight });
});

test("running sessions, and those that wait for their prompts, are expected to cost as much as others", () => {
  const limits = { dayUsd: 10 };
  const of = (known: Partial<Known>) => wait(limits, { today: 7, before: 0, ...known }).found;
  expect(of({ running: 2 })).toBeUndefined();
  expect(of({ running: 1, starting: 1 })).toBeUndefined();
  const reason = {
    because:
      "Waits for running sessions: all batches have cost $7.00 today of the daily budget of $10.00, and the running sessions are expected to cost the rest.",
  };
  expect(of({ running: 3 })).toEqual(reason);
  expect(of({ running: 2, starting: 1 })).toEqual(reason);
});
