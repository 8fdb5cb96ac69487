// A table as CSV.
import { expect, test } from "bun:test";
import { type Cell, cellOf } from "../../src/report/answer-table.ts";
import { csvLines } from "../../src/report/csv.ts";

function csvOf(...cells: Cell[]): string {
  const [, line = ""] = csvLines({ columns: ["a"], rows: () => [cells].values() as Generator<Cell[]> });
  return line;
}

test.each<[Cell, string]>([
  ["plain", "plain"],
  [undefined, ""],
  [true, "true"],
  [-1.5e-7, "-1.5e-7"],
  ["a,b", '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ["two\nlines", '"two\nlines"'],
  [" edge ", '" edge "'],
  ["=1+1", "'=1+1"],
  ["@SUM(1)", "'@SUM(1)"],
  ["+cmd", "'+cmd"],
  ["-cmd", "'-cmd"],
  ["\tx", "'\tx"],
  ["\r=1", `"'\r=1"`],
  ["-12", "-12"],
  ["+1.5e3", "+1.5e3"],
  ["-1 day", "'-1 day"],
])("the cell %j is written as %j", (cell, text) => {
  expect(csvOf(cell)).toBe(`${text}\n`);
});

test("a value with parts is one cell of JSON, unless it is nested too deeply", () => {
  expect(cellOf({ a: [1, null] })).toBe('{"a":[1,null]}');
  expect(cellOf(null)).toBeUndefined();
  let deep: unknown = 1;
  for (let level = 0; level < 10_000; level++) deep = [deep];
  expect(cellOf(deep)).toBe("(nested too deeply)");
});
