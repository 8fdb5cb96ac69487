// How two answers that are data differ, field by field.
import { expect, test } from "bun:test";
import { canonicalJson, fieldChanges } from "../../src/report/diff/data-diff.ts";

const cases: [what: string, before: unknown, after: unknown, changes: object[]][] = [
  ["nothing where only the order of names differs", { a: 1, b: 2 }, { b: 2, a: 1 }, []],
  ["a value", { a: { b: 1 } }, { a: { b: 2 } }, [{ path: "a.b", before: 1, after: 2 }]],
  [
    "a field that came, and one that went",
    { a: 1 },
    { b: null },
    [
      { path: "a", before: 1 },
      { path: "b", after: null },
    ],
  ],
  ["a name that is no word", { "a b": 1 }, { "a b": 2 }, [{ path: '["a b"]', before: 1, after: 2 }]],
  ["another kind of value", { a: [1] }, { a: "1" }, [{ path: "a", before: [1], after: "1" }]],
  [
    "an item that comes first, alone",
    { list: [1, 2, 3] },
    { list: [0, 1, 2, 3] },
    [{ path: "list[0]", after: 0 }],
  ],
  ["an item that went, at its place then", [1, 2, 3], [1, 3], [{ path: "[1]", before: 2 }]],
  [
    "a field of an item, by the item's place now",
    [{ id: 1, level: "low" }, { id: 2 }],
    [{ id: 0 }, { id: 2 }, { id: 3 }],
    [
      { path: "[0].id", before: 1, after: 0 },
      { path: "[0].level", before: "low" },
      { path: "[2]", after: { id: 3 } },
    ],
  ],
  ["values that are no objects", 4, 5, [{ path: "", before: 4, after: 5 }]],
];

for (const [what, before, after, changes] of cases) {
  test(`finds ${what}`, () => expect<unknown>(fieldChanges(before, after)).toEqual(changes));
}

test("compares as a whole what differs in more fields than anybody reads", () => {
  const values = (from: number) =>
    Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`f${at}`, from + at]));
  expect(fieldChanges(values(0), values(1))).toEqual([{ path: "", before: values(0), after: values(1) }]);
});

test("reads what is nested deeper than the stack of a reader is deep", () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
  const [change, ...others] = fieldChanges(nested(200), { a: nested(200) });
  expect(others).toEqual([]);
  expect(change?.path).toStartWith("a.a.a.");
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined })).toBe('{"b":[{"c":2,"d":1}]}');
});
