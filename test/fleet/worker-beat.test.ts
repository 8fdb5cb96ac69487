// Which workers a submitter takes for alive, whatever their clocks say.
import { expect, test } from "bun:test";
import { LivingWorkers } from "../../src/fleet/worker-beat.ts";

const minuteMs = 60_000;
const serverNow = 1_800_000_000_000;

function beat(name: string, at: number): string {
  return JSON.stringify({ name, version: "1.2.3", slots: 4, running: [], at });
}

test("a worker whose clock is wrong counts once it has spoken between two looks", () => {
  const living = new LivingWorkers(minuteMs);
  const aheadMs = 10 * minuteMs;
  expect(living.among({ odd: beat("odd", serverNow + aheadMs) }, serverNow, 0)).toEqual([]);
  const next = { odd: beat("odd", serverNow + aheadMs + 5_000) };
  expect(living.among(next, serverNow + 5_000, 5_000)).toMatchObject([{ name: "odd" }]);
});

test("a worker that was killed counts no longer, even if its last words came from the future", () => {
  const living = new LivingWorkers(minuteMs);
  const beats = { box: beat("box", serverNow + 30_000) };
  expect(living.among(beats, serverNow, 0)).toMatchObject([{ name: "box" }]);
  expect(living.among(beats, serverNow + 59_000, 59_000)).toHaveLength(1);
  expect(living.among(beats, serverNow + 61_000, 61_000)).toEqual([]);
});

test("a worker that was killed long ago never counts, and one that comes back does at once", () => {
  const living = new LivingWorkers(minuteMs);
  const old = { box: beat("box", serverNow - 10 * minuteMs) };
  expect(living.among(old, serverNow, 0)).toEqual([]);
  expect(living.among(old, serverNow + 5_000, 5_000)).toEqual([]);
  expect(living.among({ box: beat("box", serverNow + 6_000) }, serverNow + 6_000, 6_000)).toHaveLength(1);
  expect(living.among({}, serverNow + 7_000, 7_000)).toEqual([]);
});
