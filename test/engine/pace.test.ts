import { expect, test } from "bun:test";
import {
  firstPace,
  keptText,
  type Pace,
  paceFrom,
  replied,
  throttled,
} from "../../src/engine/account/pace.ts";

const now = 1_800_000_000_000;

function repliedTimes(pace: Pace, times: number): Pace {
  let next = pace;
  for (let count = 0; count < times; count++) next = replied(next, Math.floor(next.ceiling));
  return next;
}

test("the ceiling doubles in a round of replies, as long as the API has never throttled", () => {
  expect(repliedTimes(firstPace, 4).ceiling).toBe(8);
  expect(repliedTimes(firstPace, 12).ceiling).toBe(16);
});

test("replies to sessions that leave the ceiling unused say nothing about it", () => {
  expect(replied({ ...firstPace, ceiling: 40 }, 3)).toEqual({ ...firstPace, ceiling: 40 });
});

test("a throttle halves the ceiling, and its echoes do not", () => {
  const halved = throttled({ ...firstPace, ceiling: 20 }, 20, now);
  expect(halved).toMatchObject({ ceiling: 10, peak: 20 });
  // More run than allowed, because none is stopped; and simultaneous calls are refused too.
  expect(throttled(halved, 19, now + 60_000)).toEqual(halved);
  expect(throttled(halved, 9, now + 1_000)).toEqual(halved);
  expect(throttled(halved, 10, now + 6_000).ceiling).toBe(5);
});

test("after a throttle the ceiling comes back soon to where it was, and passes it slowly at first", () => {
  const halved = throttled({ ...firstPace, ceiling: 20 }, 20, now);
  const roundOf = (pace: Pace) => repliedTimes(pace, Math.ceil(pace.ceiling));
  const rounds = [halved];
  for (let count = 0; count < 6; count++) rounds.push(roundOf(rounds.at(-1) ?? halved));
  const ceilings = rounds.map(({ ceiling }) => ceiling);
  expect(ceilings).toEqual([...ceilings].sort((a, b) => a - b));
  expect(ceilings[2]).toBeGreaterThan(18);
  expect(ceilings[4]).toBeLessThan(22);
  expect(ceilings[6]).toBeGreaterThan(24);
});

test("the ceiling never falls below one, and comes back from there", () => {
  let pace = firstPace;
  for (let count = 0; count < 10; count++) pace = throttled(pace, 1, now + count * 10_000);
  expect(pace.ceiling).toBe(1);
  expect(repliedTimes(pace, 40).ceiling).toBeGreaterThan(3);
});

test("what was learned is kept for half an hour", () => {
  const pace = throttled({ ...firstPace, ceiling: 20 }, 20, now);
  expect(paceFrom(keptText(pace, now), now + 29 * 60_000)).toEqual(pace);
  expect(paceFrom(keptText(pace, now), now + 31 * 60_000)).toEqual(firstPace);
  expect(paceFrom('{"of":"another version"}', now)).toEqual(firstPace);
  expect(paceFrom(undefined, now)).toEqual(firstPace);
});
