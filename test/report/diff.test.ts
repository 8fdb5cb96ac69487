// What changes in a client's file, as a person is shown it.
import { expect, test } from "bun:test";
import { diffOf } from "../../src/report/diff/text-diff.ts";

const lines = (...some: string[]) => some.join("\n");

const cases: [what: string, before: string, after: string, diff: string][] = [
  ["nothing where nothing differs", "a\nb\n", "a\nb\n", ""],
  ["all lines of a new file", "", "a\nb\n", lines("+ a", "+ b")],
  ["all lines of a file that goes", "a\nb\n", "", lines("- a", "- b")],
  [
    "two lines around a change, and no more",
    "1\n2\n3\n4\n5\n6\n7\n",
    "1\n2\n3\nx\n5\n6\n7\n",
    lines("  2", "  3", "- 4", "+ x", "  5", "  6"),
  ],
  ["what is there before the first line and behind the last", "a\nb\n", "x\nb\n", lines("- a", "+ x", "  b")],
  ["a line at the end", "a\nb\nc\n", "a\nb\nc\nd\n", lines("  b", "  c", "+ d")],
  ["a line at the beginning", "a\n", "x\na\n", lines("+ x", "  a")],
  ["a line twice that was there once", "a\na\n", "a\na\na\n", lines("  a", "  a", "+ a")],
  ["a line once that was there twice", "b\na\na\nc\n", "b\na\nc\n", lines("  b", "  a", "- a", "  c")],
  [
    "what stays between two changes",
    "1\n2\n3\n4\n5\n",
    "1\nx\n3\ny\n5\n",
    lines("  1", "- 2", "+ x", "  3", "- 4", "+ y", "  5"),
  ],
  [
    "the most that can stay",
    "s\na\nb\nc\nd\ne\n",
    "s\nc\na\nb\nd\nz\ne\n",
    lines("  s", "+ c", "  a", "  b", "- c", "  d", "+ z", "  e"),
  ],
  ["lines that end as on Windows", "a\r\nb\r\n", "a\r\nc\r\n", lines("  a", "- b", "+ c")],
  ["a last line without its end", "a\nb", "a\nc", lines("  a", "- b", "+ c")],
  ["more lines that go than come", "1\n2\n3\n4\n", "1\n9\n4\n", lines("  1", "- 2", "- 3", "+ 9", "  4")],
  ["more lines that come than go", "1\n2\n3\n", "1\n7\n8\n3\n", lines("  1", "- 2", "+ 7", "+ 8", "  3")],
];

for (const [what, before, after, diff] of cases) {
  test(`shows ${what}`, () => expect(diffOf(before, after)).toBe(diff));
}
