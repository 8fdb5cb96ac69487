import { expect, test } from "bun:test";
import { Restarts } from "../../src/engine/runner/restarts.ts";

class Clock {
  now = 0;
  readonly restarts = new Restarts(() => this.now);

  /** A runner that works for a while, and crashes. */
  crashAfter(ms: number): number | undefined {
    this.restarts.started();
    this.now += ms;
    return this.restarts.pauseAfter("crashed");
  }
}

test("a runner that crashes at once is started five times again, at growing pauses", () => {
  const clock = new Clock();
  const pauses = Array.from({ length: 6 }, () => clock.crashAfter(1_000));
  expect(pauses).toEqual([0, 500, 1_000, 2_000, 4_000, undefined]);
});

test("crashes before ten good minutes do not count: a batch of days survives many", () => {
  const clock = new Clock();
  const pauses = Array.from({ length: 50 }, () => clock.crashAfter(10 * 60_000));
  expect(pauses).toEqual(pauses.map(() => 0));
});

test("a full disk is waited for, and is no crash", () => {
  const clock = new Clock();
  const pauses = Array.from({ length: 200 }, () => {
    clock.restarts.started();
    clock.now += 100;
    return clock.restarts.pauseAfter("blocked");
  });
  expect(pauses.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
  expect(pauses.at(-1)).toBe(30_000);
  expect(clock.crashAfter(100)).toBe(0);
  clock.now += 25 * 60 * 60_000;
  clock.restarts.started();
  expect(clock.restarts.pauseAfter("blocked")).toBeUndefined();
});
