import { expect, test } from "bun:test";
import { firstCallOf } from "../../src/claude/first-call.ts";
import { applyLine, newReading, type Reading } from "../../src/claude/reading.ts";

function readingOf(...messages: object[]): Reading {
  const reading = newReading();
  for (const message of messages) {
    const text = JSON.stringify(message);
    applyLine(reading, { kind: "whole", offset: 0, length: text.length, text });
  }
  return reading;
}

const init = { type: "system", subtype: "init", session_id: "s", model: "opus" };
const usage = (read: number, written: number, long = 0) => ({
  input_tokens: 2,
  cache_read_input_tokens: read,
  cache_creation_input_tokens: written,
  cache_creation: { ephemeral_5m_input_tokens: written - long, ephemeral_1h_input_tokens: long },
});
const begins = (read: number, written: number, long?: number) => ({
  type: "stream_event",
  parent_tool_use_id: null,
  event: { type: "message_start", message: { usage: usage(read, written, long) } },
});
const says = (read: number, written: number, parent: string | null = null) => ({
  type: "assistant",
  parent_tool_use_id: parent,
  message: { content: [{ type: "text", text: "Done" }], usage: usage(read, written) },
});

/** What a session used that was answered at $5 for a million tokens of input. */
const used = { input: 2, output: 100, cacheRead: 9_566, cacheWritten: 2_520 };
const opus = { ...used, costUsd: (2 + 500 + 9_566 * 0.1 + 2_520 * 1.25) * 5e-6 };

test("what the first call took from the cache was cheaper by what writing it would have cost more", () => {
  const reading = readingOf(init, says(9_566, 2_520), says(12_086, 100));
  expect(firstCallOf(reading, { opus })).toEqual({
    cacheRead: 9_566,
    cacheWritten: 2_520,
    savedUsd: expect.closeTo(9_566 * 1.15 * 5e-6, 9),
  });
});

test("a cache that lasts for an hour costs more to write, so reading saves more", () => {
  const reading = readingOf(init, begins(9_566, 2_520, 2_520), says(9_566, 2_520));
  const costUsd = (2 + 500 + 9_566 * 0.1 + 2_520 * 2) * 5e-6;
  expect(firstCallOf(reading, { opus: { ...opus, costUsd } })?.savedUsd).toBeCloseTo(9_566 * 1.9 * 5e-6, 9);
});

test("a subagent's call, and an answer that the CLI made up, are no first call", () => {
  expect(firstCallOf(readingOf(init, says(1, 2, "toolu_1")), { opus })).toBeUndefined();
  const madeUp = { ...says(0, 0), error: "server_error" };
  expect(firstCallOf(readingOf(init, madeUp), {})).toBeUndefined();
});

test("of a session that ended without a cost, only the tokens are known", () => {
  expect(firstCallOf(readingOf(init, begins(9_566, 2_520)))).toEqual({
    cacheRead: 9_566,
    cacheWritten: 2_520,
  });
});

test("the API begins to answer before anything is said", () => {
  const reading = readingOf(init, begins(1, 2));
  expect([reading.answering, reading.replies]).toEqual([1, 0]);
  expect(readingOf(init, { ...begins(1, 2), event: { type: "content_block_delta" } }).answering).toBe(0);
});
