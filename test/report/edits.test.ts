// The shortest way from one list to another, against a slow algorithm that is obviously right.
import { expect, test } from "bun:test";
import { blocksOf } from "../../src/report/diff/edits.ts";

/** The most items that both can keep. */
function mostKept(before: readonly string[], after: readonly string[]): number {
  const rows = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let row = before.length - 1; row >= 0; row--)
    for (let column = after.length - 1; column >= 0; column--) {
      const here = rows[row] ?? [];
      here[column] =
        before[row] === after[column]
          ? (rows[row + 1]?.[column + 1] ?? 0) + 1
          : Math.max(rows[row + 1]?.[column] ?? 0, here[column + 1] ?? 0);
    }
  return rows[0]?.[0] ?? 0;
}

function keptOf(before: readonly string[], after: readonly string[]): number {
  const blocks = blocksOf(before, after);
  let [at, freshAt, kept] = [0, 0, 0];
  for (const [index, { kind, from, to, freshFrom, freshTo }] of blocks.entries()) {
    expect([from, freshFrom]).toEqual([at, freshAt]);
    expect(kind).not.toBe(blocks[index + 1]?.kind ?? "none");
    if (kind === "same") {
      expect(before.slice(from, to)).toEqual(after.slice(freshFrom, freshTo));
      kept += to - from;
    }
    [at, freshAt] = [to, freshTo];
  }
  expect([at, freshAt]).toEqual([before.length, after.length]);
  return kept;
}

test("as much is kept as can be, for all lists of up to five items of three kinds", () => {
  const lists: string[][] = [[]];
  for (let from = 0, length = 1; length <= 5; length++) {
    const end = lists.length;
    for (; from < end; from++) for (const item of "abc") lists.push([...(lists[from] ?? []), item]);
  }
  expect(lists.length).toBe(364);
  const some = lists.filter((_, index) => index % 7 === 0);
  for (const before of some)
    for (const after of lists) expect(keptOf(before, after)).toBe(mostKept(before, after));
});

test("lists with nothing in common are one change, and are not searched to the end", () => {
  const [before, after] = ["a", "b"].map((name) =>
    Array.from({ length: 20_000 }, (_, index) => `${name}${index}`),
  );
  expect(blocksOf(["first", ...(before ?? []), "last"], ["first", ...(after ?? []), "last"])).toMatchObject([
    { kind: "same", to: 1 },
    { kind: "changed", from: 1, to: 20_001, freshFrom: 1, freshTo: 20_001 },
    { kind: "same" },
  ]);
});
