// Task numbers as ranges, in both directions.
import { expect, test } from "bun:test";
import { numbersOfRange, rangesOf } from "../../src/model/number-ranges.ts";

test.each([
  [[], []],
  [[7], [[7, 7]]],
  [[1, 2, 3], [[1, 3]]],
  [
    [1, 3],
    [
      [1, 1],
      [3, 3],
    ],
  ],
  [
    [1, 2, 3, 7, 9, 10],
    [
      [1, 3],
      [7, 7],
      [9, 10],
    ],
  ],
])("%j are the ranges %j", (numbers, ranges) => {
  expect(rangesOf(numbers)).toEqual(ranges.map(([first = 0, last = 0]) => ({ first, last })));
});

test.each([
  ["12-15", [12, 13, 14, 15]],
  [" 3–4 ", [3, 4]],
  ["5-5", [5]],
  ["0-1", [0, 1]],
])("%j is %j", (text, numbers) => {
  expect(numbersOfRange(text)).toEqual(numbers);
});

test.each(["5-4", "5", "", "-5", "1-2-3", "a-b", "1 - 2", "1-1000000000"])("%j is no range", (text) => {
  expect(numbersOfRange(text)).toBeUndefined();
});

test("a range of more than a hundred thousand numbers is no list that somebody means", () => {
  expect(numbersOfRange("1-100000")).toHaveLength(100_000);
  expect(numbersOfRange("1-100001")).toBeUndefined();
});
