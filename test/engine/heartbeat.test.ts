import { expect, test } from "bun:test";
import { Heartbeat } from "../../src/engine/runner/heartbeat.ts";

function beating() {
  const clock = { now: 1_000_000, monotonic: 1_000 };
  const heart = new Heartbeat({ now: () => clock.now, monotonicNow: () => clock.monotonic });
  return { clock, heart };
}

test("a runner says every 15 seconds that it lives", () => {
  const { clock, heart } = beating();
  const said: (number | undefined)[] = [];
  for (let second = 1; second <= 30; second++) {
    clock.now += 1_000;
    clock.monotonic += 1_000;
    said.push(heart.due());
  }
  expect(said.filter((at) => at !== undefined)).toEqual([1_015_000, 1_030_000]);
});

test("at once after the machine has slept, during which the monotonic clock stood still", () => {
  const { clock, heart } = beating();
  clock.now += 3_600_000;
  expect(heart.due()).toBe(4_600_000);
});

test("at once after the clock was set back: a sign from the future is none to others", () => {
  const { clock, heart } = beating();
  clock.now -= 900_000;
  expect(heart.due()).toBe(100_000);
  expect(heart.due()).toBeUndefined();
});
