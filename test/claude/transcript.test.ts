import { expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import { readAnswerPart } from "../../src/claude/answer-part.ts";
import { readAnswer, TranscriptReader } from "../../src/claude/transcript.ts";
import * as files from "../../src/platform/files.ts";
import { Home } from "../harness.ts";

async function transcriptWith(home: Home, text: string): Promise<{ path: string; offset: number }> {
  const path = join(home.path, "t.ndjson");
  const first = `${JSON.stringify({ type: "system" })}\n`;
  await Bun.write(
    path,
    `${first}${JSON.stringify({ type: "result", result: text, stop_reason: "end_turn" })}\n`,
  );
  return { path, offset: first.length };
}

test("an answer is read whole from where the log says", async () => {
  await using home = new Home();
  const { path, offset } = await transcriptWith(home, 'a "quoted" ä😀\n\u001b answer');
  expect(readAnswer(path, offset, 1_000)).toEqual({ text: 'a "quoted" ä😀\n\u001b answer', cut: false });
});

test("an answer of many megabytes is read as far as was asked, wherever that cuts", async () => {
  await using home = new Home();
  const text = 'ab\\"\u0001é😀\n'.repeat(1_500_000);
  const { path, offset } = await transcriptWith(home, text);
  for (const limit of [1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000, 65_537]) {
    const answer = readAnswer(path, offset, limit);
    expect(answer.cut).toBe(true);
    expect(text.startsWith(answer.text)).toBe(true);
    expect(answer.text.length).toBe(limit);
  }
});

test("a result with megabytes of data beside its text is understood too", async () => {
  await using home = new Home();
  const path = join(home.path, "t.ndjson");
  const rows = Array.from({ length: 200_000 }, (_, index) => ({ row: index, text: `value ${index}` }));
  const result = {
    type: "result",
    subtype: "success",
    structured_output: rows,
    is_error: false,
    result: JSON.stringify(rows),
  };
  await Bun.write(path, `${JSON.stringify(result)}\n`);
  using reader = new TranscriptReader(path);
  reader.finish();
  expect(reader.reading.answer?.result.structured_output).toEqual(rows);
});

test("any part of an answer of many megabytes can be read, and the last one says how long the whole is", async () => {
  await using home = new Home();
  const text = 'ab\\"\u0001é😀\n\\u12'.repeat(400_000);
  const { path, offset } = await transcriptWith(home, text);
  for (const from of [0, 1, 6, 131_071, 262_144, 3_654_321, text.length - 5, text.length, text.length + 9]) {
    for (const characters of [0, 1, 7, 70_000]) {
      const part = readAnswerPart(path, offset, { from, characters });
      expect(part.text).toBe(text.slice(from, from + characters));
      if (from + characters >= text.length) expect(part.length).toBe(text.length);
      else expect(part.length ?? text.length).toBe(text.length);
    }
  }
});

test("the text is found behind megabytes of data, and in a line that is written with blanks", async () => {
  await using home = new Home();
  const path = join(home.path, "t.ndjson");
  const rows = Array.from({ length: 50_000 }, (_, index) => ({ result: `no ${index}` }));
  const lines = [
    JSON.stringify({ type: "result", structured_output: rows, result: "here" }),
    JSON.stringify({ type: "result", result: "there" }, undefined, 1).replaceAll("\n", " "),
  ];
  await Bun.write(path, `${lines.join("\n")}\n`);
  expect(readAnswer(path, 0, 3)).toEqual({ text: "her", cut: true });
  expect(readAnswer(path, (lines[0] ?? "").length + 1, 100)).toEqual({ text: "there", cut: false });
});

test("one look takes in all that has been written since, however much, and says whether that was anything", async () => {
  await using home = new Home();
  const path = join(home.path, "t.ndjson");
  // As much as is read at a time, and more.
  const line = `${JSON.stringify({ type: "system", text: "x".repeat(996) })}\n`;
  expect(line).toHaveLength(1_024);
  const counts = async (lines: number) => {
    await Bun.write(path, line.repeat(lines));
    using reader = new TranscriptReader(path);
    const looked = [reader.read(), reader.reading.messages, reader.read(), reader.reading.messages];
    reader.finish();
    return [...looked, reader.reading.messages];
  };
  for (const lines of [1, 256, 257, 600])
    expect(await counts(lines)).toEqual([true, lines, false, lines, lines]);
  expect(await counts(0)).toEqual([false, 0, false, 0, 0]);
});

test("a file system that gives a few bytes at a time loses nothing of the last look, nor of an answer", async () => {
  await using home = new Home();
  const text = 'ab\\"\u0001é😀\n'.repeat(2_000);
  const { path, offset } = await transcriptWith(home, text);
  const { readAt } = files;
  using _ = spyOn(files, "readAt").mockImplementation((descriptor, buffer, position) =>
    readAt(descriptor, buffer.subarray(0, 700), position),
  );
  using reader = new TranscriptReader(path);
  expect(reader.read()).toBe(true);
  expect([reader.reading.messages, reader.reading.answer]).toEqual([1, undefined]);
  reader.finish();
  expect(reader.reading.answer?.result.result).toBe(text);
  expect(readAnswer(path, offset, text.length)).toEqual({ text, cut: false });
  expect(readAnswerPart(path, offset, { from: 9_000, characters: 3 }).text).toBe(text.slice(9_000, 9_003));
});

test("a result with much data is read whole, though a file system gives a part of it at a time", async () => {
  await using home = new Home();
  const path = join(home.path, "t.ndjson");
  const rows = Array.from({ length: 200_000 }, (_, index) => ({ row: index, text: `value ${index}` }));
  const data = { structured_output: rows, is_error: false, result: JSON.stringify(rows) };
  await Bun.write(path, `${JSON.stringify({ type: "result", subtype: "success", ...data })}\n`);
  const { readAt } = files;
  using _ = spyOn(files, "readAt").mockImplementation((descriptor, buffer, position) =>
    readAt(descriptor, buffer.subarray(0, 1_000_000), position),
  );
  using reader = new TranscriptReader(path);
  reader.finish();
  expect(reader.reading.answer?.result.structured_output).toEqual(rows);
});
