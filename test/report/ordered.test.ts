// The order of the cells of a column.
import { expect, test } from "bun:test";
import { ranked } from "../../src/report/browser/ordered.ts";

const sorted = (values: readonly (number | string)[]) => {
  const ranks = ranked(values);
  return values
    .map((value, index) => ({ value, rank: ranks[index] ?? -1 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
};

test("numbers go by size, also where some cells have none, or words", () => {
  expect(sorted([1.5, 10, -5, 1.25, -10])).toEqual([-10, -5, 1.25, 1.5, 10]);
  expect(sorted([1.5, "", 10, "none", -5, 1.25, " ", -10])).toEqual([
    "",
    " ",
    -10,
    -5,
    1.25,
    1.5,
    10,
    "none",
  ]);
});

test("texts go by letters, in which numbers count by size, and neither capitals nor accents count", () => {
  expect(sorted(["src/b10.ts", "src/B9.ts", "Äpfel", "apfel 2", "src/a007.ts"])).toEqual([
    "Äpfel",
    "apfel 2",
    "src/a007.ts",
    "src/B9.ts",
    "src/b10.ts",
  ]);
  expect(ranked(["A", "ä", "b"])).toEqual([0, 0, 1]);
});
