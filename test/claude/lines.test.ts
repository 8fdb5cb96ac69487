import { expect, test } from "bun:test";
import { type Line, LineCutter, longestLineBytes } from "../../src/claude/lines.ts";

function cut(bytes: Uint8Array, pieceLength: number): { lines: Line[]; rest: Line | undefined } {
  const cutter = new LineCutter();
  const lines: Line[] = [];
  for (let begin = 0; begin < bytes.length; begin += pieceLength) {
    lines.push(...cutter.push(bytes.subarray(begin, begin + pieceLength)));
  }
  return { lines, rest: cutter.end() };
}

test("lines come out the same, however the bytes are cut into pieces", () => {
  const text = '{"a":"ä😀"}\n\n{"b":"日本"}\nhalf';
  const bytes = new TextEncoder().encode(text);
  for (let length = 1; length <= bytes.length; length++) {
    const { lines, rest } = cut(bytes, length);
    expect(lines.map((line) => line.kind === "whole" && line.text)).toEqual([
      '{"a":"ä😀"}',
      "",
      '{"b":"日本"}',
    ]);
    expect(rest).toMatchObject({ kind: "whole", text: "half" });
  }
});

test("each line knows where it begins, so that another reader can go on from there", () => {
  const bytes = new TextEncoder().encode("äb\nc\n");
  expect(cut(bytes, 2).lines.map(({ offset, length }) => ({ offset, length }))).toEqual([
    { offset: 0, length: 3 },
    { offset: 4, length: 1 },
  ]);
});

test("of a line over 8 MB, head and tail are kept and nothing else", () => {
  const length = longestLineBytes + 1_000_000;
  const line = Buffer.alloc(length, "x");
  line.write("BEGIN");
  line.write("END", length - 3);
  const { lines } = cut(Buffer.concat([line, Buffer.from("\nnext\n")]), 300_000);
  const [long, next] = lines;
  expect(long).toMatchObject({ kind: "oversized", offset: 0, length });
  expect(long?.kind === "oversized" && long.head.startsWith("BEGIN") && long.head.length).toBe(65_536);
  expect(long?.kind === "oversized" && long.tail.endsWith("END") && long.tail.length).toBe(65_536);
  expect(next).toMatchObject({ kind: "whole", text: "next", offset: length + 1 });
});
