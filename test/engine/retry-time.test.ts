import { expect, test } from "bun:test";
import { isRetryDue } from "../../src/engine/scheduler/retry.ts";

const hour = 60 * 60_000;
const today = Date.UTC(2026, 10, 29);

test.each([
  ["before its time", { notBefore: 2_000, dueAt: 200 }, 1_000, 100, false],
  ["at its time of day", { notBefore: 2_000, dueAt: 200 }, 2_000, 100, true],
  [
    "after its delay, though the clock was set back by a minute",
    { notBefore: 2_000, dueAt: 200 },
    -60_000,
    200,
    true,
  ],
  ["before the end of its delay, with that clock", { notBefore: 2_000, dueAt: 200 }, -60_000, 199, false],
  [
    "with a clock that an earlier runner saw an hour ahead",
    { notBefore: hour, dueAt: undefined },
    0,
    0,
    true,
  ],
  ["of an earlier runner, before its time", { notBefore: 2_000, dueAt: undefined }, 0, 0, false],
  [
    "of an earlier runner, a minute before its time today",
    { notBefore: today + 60_000, dueAt: undefined },
    today,
    0,
    false,
  ],
  ["without a delay", { notBefore: undefined, dueAt: undefined }, 0, 0, true],
])("a retry %s", (_, time, now, monotonicNow, isDue) => {
  expect(isRetryDue(time, now, monotonicNow)).toBe(isDue);
});
