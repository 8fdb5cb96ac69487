// Data as tables for people: which rows and columns, what is cut and where the rest is.
import { describe, expect, test } from "bun:test";
import { structuredHtml } from "../../src/report/structured.ts";
import { markupOf, textsIn } from "./markup.ts";

/** The table above the JSON: heads, and the cells of each row. */
function tableOf(value: unknown) {
  const [shown = ""] = String(structuredHtml(value)).replaceAll(' class="short"', "").split("<details>");
  const rows = [...shown.matchAll(/<tr>((?:<td>.*?<\/td>)+)<\/tr>/gs)];
  return {
    heads: textsIn(shown, "th"),
    rows: rows.map(([, cells = ""]) => textsIn(cells, "td")),
    notes: textsIn(shown, "p"),
  };
}

describe("data as a table", () => {
  test.each([
    [
      "records: a column for each name that any has",
      [
        { a: 1, b: "x" },
        { b: null, c: true },
      ],
      ["a", "b", "c"],
      [
        ["1", "x", ""],
        ["", "", "true"],
      ],
    ],
    [
      "a list: its items with their numbers",
      ["x", { y: 1 }],
      ["Number", "Value"],
      [
        ["1", "x"],
        ["2", "y 1"],
      ],
    ],
    [
      "records without names: a list",
      [{}, {}],
      ["Number", "Value"],
      [
        ["1", "{}"],
        ["2", "{}"],
      ],
    ],
    [
      "an object: its names and values",
      { a: 1, b: [2, 3] },
      ["Name", "Value"],
      [
        ["a", "1"],
        ["b", "23"],
      ],
    ],
  ])("shows %s", (_, value, heads, rows) => {
    expect(tableOf(value)).toEqual({ heads, rows, notes: [] });
  });

  test.each([
    ["An empty list.", []],
    ["An empty object.", {}],
    ["42", 42],
    ["false", false],
    ["", null],
  ])("says %j of what has no parts", (note, value) => {
    expect(tableOf(value)).toEqual({ heads: [], rows: [], notes: [note] });
  });

  test.each([
    ["records", (count: number) => Array.from({ length: count }, () => ({ a: 1 }))],
    ["a list", (count: number) => Array.from({ length: count }, () => 1)],
    [
      "an object",
      (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, 1])),
    ],
  ])("has 500 rows of %s, and says how many more there are", (_, make) => {
    expect(tableOf(make(500))).toMatchObject({ notes: [] });
    const { rows, notes } = tableOf(make(502));
    expect(rows).toHaveLength(500);
    expect(notes).toEqual(["2 more rows in the JSON."]);
  });

  test("has twenty columns", () => {
    const wide = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`a${index}`, index]));
    expect(tableOf([wide]).heads.at(-1)).toBe("a19");
  });

  test("has lists within a cell two levels deep, of thirty items at most, and else JSON", () => {
    const cell = (value: unknown) =>
      /<tr><td class="short">v<\/td><td[^>]*>(.*?)<\/td><\/tr>/s.exec(
        String(structuredHtml({ v: value })),
      )?.[1];
    expect(cell({ a: { b: 1 } })).toBe("<ul><li><b>a</b> <ul><li><b>b</b> 1</li></ul></li></ul>");
    expect(cell([[[1]]])).toBe("<ul><li><ul><li><code>[1]</code></li></ul></li></ul>");
    expect(cell([])).toBe("<code>[]</code>");
    expect(cell(Array(30).fill(1))).toStartWith("<ul><li>1</li>");
    expect(cell(Array(31).fill(1))).toStartWith("<code>[1,1,");
  });
});

describe("the JSON below it", () => {
  const jsonOf = (value: unknown) => {
    const [, folded = ""] = String(structuredHtml(value)).split("<details>");
    return { json: textsIn(folded, "pre")[0] ?? "", notes: textsIn(folded, "p") };
  };

  test("is the value itself", () => {
    expect(jsonOf({ a: ["<b>"] })).toEqual({ json: '{\n  "a": [\n    "<b>"\n  ]\n}', notes: [] });
  });

  test("is cut at half a million characters, and says so", () => {
    const text = (length: number) => "x".repeat(length - 2);
    expect(jsonOf(text(500_000)).notes).toEqual([]);
    const { json, notes } = jsonOf(text(500_001));
    expect(json).toHaveLength(500_001);
    expect(json).toEndWith("x…");
    expect(notes).toEqual(["The JSON is cut off. The transcript has all of it."]);
  });

  test.each([
    [100, true],
    [101, false],
  ])("of %d levels is shown: %p", (levels, isShown) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = [value];
    const { json } = jsonOf(value);
    expect(json.replaceAll(/\s/g, "")).toBe(
      isShown
        ? `${"[".repeat(levels)}1${"]".repeat(levels)}`
        : "(nestedtoodeeplytoshow;thetranscripthasallofit)",
    );
    expect(markupOf(String(structuredHtml(value))).text).not.toContain("undefined");
  });
});
