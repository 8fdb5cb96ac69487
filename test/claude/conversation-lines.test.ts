// A transcript as a conversation: what each kind of line adds, with every field.
import { describe, expect, test } from "bun:test";
import { partsOf } from "../../src/claude/conversation-lines.ts";
import { rangeOf, TranscriptLines } from "../../src/claude/transcript-lines.ts";
import type { ConversationPart } from "../../src/model/conversation.ts";
import { transcriptPart } from "../../src/operations/transcript-part.ts";
import { Home } from "../harness.ts";

function partsOfText(text: string): ConversationPart[] {
  return partsOf({ kind: "whole", offset: 0, length: Buffer.byteLength(text), text });
}
const parts = (value: unknown) => partsOfText(JSON.stringify(value));
const says = (content: unknown, more: object = {}) =>
  parts({ type: "assistant", message: { content }, ...more });
const system = (subtype: string, more: object = {}) => parts({ type: "system", subtype, ...more });

describe("a line says", () => {
  test.each([
    [
      { type: "system", subtype: "init", model: "opus", session_id: "s" },
      [{ kind: "started", model: "opus", sessionId: "s" }],
    ],
    [
      { type: "system", subtype: "api_retry", attempt: 2, max_retries: 5, error_status: 529 },
      [{ kind: "waits", why: "The API answers with status 529; retry 2 of 5." }],
    ],
    [
      { type: "system", subtype: "api_retry", error_status: null },
      [{ kind: "waits", why: "The API does not answer; retry ? of ?." }],
    ],
    [
      { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: 1_700_000_000 } },
      [{ kind: "waits", why: "The usage limit is reached until 2023-11-14T22:13:20.000Z." }],
    ],
    [
      { type: "rate_limit_event", rate_limit_info: { status: "rejected" } },
      [{ kind: "waits", why: "The usage limit is reached." }],
    ],
    [{ type: "rate_limit_event", rate_limit_info: { status: "allowed", resetsAt: 1 } }, []],
    [
      { type: "system", subtype: "model_fallback", original_model: "opus", fallback_model: "sonnet" },
      [{ kind: "waits", why: "sonnet answers instead of opus." }],
    ],
    [
      { type: "system", subtype: "model_fallback" },
      [{ kind: "waits", why: "Another model answers instead of the model." }],
    ],
    [{ type: "system", subtype: "session_writes_lost", lost: ["transcript"] }, []],
    [{ type: "system", subtype: "background_tasks_changed", tasks: [] }, []],
    [{ type: "system", subtype: "something-new" }, []],
    [{ type: "user", message: { content: 5 } }, []],
    [{ no: "type" }, []],
  ] satisfies [object, ConversationPart[]][])("%j", (line, said) => {
    expect(parts(line)).toEqual(said);
  });

  test("how it ended, with its cost, and errors below the text", () => {
    const result = { type: "result", subtype: "success", num_turns: 2, duration_ms: 9, result: "done" };
    const ended = {
      kind: "ended",
      failed: false,
      subtype: "success",
      text: "done",
      numTurns: 2,
      durationMs: 9,
    };
    expect<unknown>(parts({ ...result, total_cost_usd: 0.5 })).toEqual([{ ...ended, costUsd: 0.5 }]);
    expect<unknown>(parts(result)).toEqual([{ ...ended, costUsd: undefined }]);
    expect(parts({ ...result, is_error: true })).toMatchObject([{ failed: true, subtype: "success" }]);
    expect(
      parts({ ...result, subtype: "error_max_turns", result: undefined, errors: ["a", "b"] }),
    ).toMatchObject([{ failed: true, subtype: "error_max_turns", text: "a\nb" }]);
    expect(parts({ ...result, errors: ["a"] })).toMatchObject([{ failed: false, text: "done\na" }]);
  });

  test("what was said, thought, called and returned, in its order", () => {
    expect(
      says([
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "I look." },
        { type: "tool_use", name: "Read", input: { file_path: "/a" } },
        { type: "tool_use" },
        { type: "thinking" },
        { type: "text" },
        { type: "image" },
      ]),
    ).toEqual([
      { kind: "thought", text: "hm", nested: false },
      { kind: "said", text: "I look.", nested: false, failed: false },
      { kind: "called", tool: "Read", input: '{"file_path":"/a"}', nested: false },
      { kind: "called", tool: "a tool", input: "{}", nested: false },
    ]);
    expect(says("words", { error: "server_error", parent_tool_use_id: "t" })).toEqual([
      { kind: "said", text: "words", nested: true, parent: "t", failed: true },
    ]);
    expect(says([{ type: "tool_use", name: "Read", input: 1 }], { parent_tool_use_id: null })).toEqual([
      { kind: "called", tool: "Read", input: "1", nested: false },
    ]);
  });

  test("what the user asked, and what tools gave", () => {
    const user = (content: unknown) => parts({ type: "user", message: { content } });
    const returned = (content: unknown, more: object = {}) =>
      user([{ type: "tool_result", content, ...more }]);
    const gave = (text: string, failed = false) => [{ kind: "returned", text, nested: false, failed }];
    expect<unknown>(user("do it")).toEqual([{ kind: "prompted", text: "do it", nested: false }]);
    expect<unknown>(returned("ok")).toEqual(gave("ok"));
    expect<unknown>(returned("no", { is_error: true })).toEqual(gave("no", true));
    expect<unknown>(returned([{ type: "text", text: "a" }, { type: "image" }])).toEqual(gave("a\n[image]"));
    expect<unknown>(returned(undefined)).toEqual(gave(""));
    expect<unknown>(returned({ a: 1 })).toEqual(gave('{"a":1}'));
  });

  test("which call a result is of, and to which reply a part belongs, with the tokens that it read", () => {
    const usage = {
      input_tokens: 3,
      cache_read_input_tokens: 2,
      cache_creation_input_tokens: 1,
      output_tokens: 1,
    };
    const content = [{ type: "tool_use", id: "t1", name: "Read", input: {} }];
    expect(parts({ type: "assistant", message: { id: "m1", content, usage } })).toMatchObject([
      { kind: "called", id: "t1", reply: { id: "m1", read: { fresh: 3, cacheRead: 2, cacheWritten: 1 } } },
    ]);
    expect(parts({ type: "assistant", message: { id: "m1", content, usage: { odd: 1 } } })).toMatchObject([
      { kind: "called", reply: { id: "m1", read: undefined } },
    ]);
    const given = [{ type: "tool_result", tool_use_id: "t1", content: "ok" }];
    expect(parts({ type: "user", parent_tool_use_id: "t0", message: { content: given } })).toMatchObject([
      { kind: "returned", of: "t1", parent: "t0", nested: true },
    ]);
  });

  test("what is nested too deeply for any stack as just that", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const blocks = `{"type":"tool_use","name":"Odd","input":${deep}},{"type":"tool_result","content":${deep}}`;
    expect(partsOfText(`{"type":"assistant","message":{"content":[${blocks}]}}`)).toMatchObject([
      { kind: "called", tool: "Odd", input: '"(nested too deeply to show)"' },
      { kind: "returned", text: '"(nested too deeply to show)"' },
    ]);
  });

  test("nothing that can be read: then its beginning and its length are given, unless it is blank", () => {
    expect(partsOfText("no JSON é")).toEqual([{ kind: "unread", text: "no JSON é", bytes: 10 }]);
    expect(partsOfText(" \t")).toEqual([]);
  });
});

test("a line that is too long shows what stands in its head", () => {
  const line = (head: string, tail: string) =>
    partsOf({ kind: "oversized", offset: 0, length: 9_000_000, head, tail });
  expect(line('{"type":"user","message":', "}")).toEqual([
    { kind: "unread", text: '{"type":"user","message":', bytes: 9_000_000 },
  ]);
  const head = `{"type":"result","subtype":"success","num_turns":3,"duration_ms":7,"result":"one\\ntwo \\"three\\"${"x".repeat(5_000)}`;
  const [ended] = line(head, 'y","is_error":false}');
  expect(ended).toMatchObject({
    kind: "ended",
    failed: false,
    subtype: "success",
    numTurns: 3,
    durationMs: 7,
  });
  const text = ended?.kind === "ended" ? ended.text : "";
  expect(text).toStartWith('one\ntwo "three"xxx');
  // 4,000 characters of the line, of which three were backslashes.
  expect(text).toHaveLength(3_997);
});

test("a transcript is read line by line while it grows, and its last line without an end at the end", async () => {
  await using home = new Home();
  const path = home.file("t.ndjson");
  await Bun.write(path, "one\ntwo\nthr");
  using lines = new TranscriptLines(path);
  const texts = (some: Iterable<{ kind: string; offset: number }>) =>
    [...some].map((line) => [Reflect.get(line, "text"), line.offset]);
  expect(texts(lines.fresh())).toEqual([
    ["one", 0],
    ["two", 4],
  ]);
  expect(texts(lines.fresh())).toEqual([]);
  await Bun.write(path, "one\ntwo\nthree\nfour");
  expect(texts(lines.rest())).toEqual([
    ["three", 8],
    ["four", 14],
  ]);
  expect(texts(lines.rest())).toEqual([]);
  using again = new TranscriptLines(path);
  expect(Buffer.concat([...again.pieces()]).toString()).toBe("one\ntwo\nthree\nfour");
  expect(() => new TranscriptLines(home.file("none"))).toThrow();
});

test("of a transcript with several conversations, a part is read, from where it begins to where it ends", async () => {
  await using home = new Home();
  const path = home.file("t.ndjson");
  await Bun.write(path, "one\ntwo\nthree\nfour\n");
  const texts = (some: Iterable<{ kind: string; offset: number }>) =>
    [...some].map((line) => [Reflect.get(line, "text"), line.offset]);
  using part = new TranscriptLines(path, rangeOf({ offset: 4, transcriptEnd: 14 }));
  expect(texts(part.rest())).toEqual([
    ["two", 4],
    ["three", 8],
  ]);
  using growing = new TranscriptLines(path, rangeOf({ offset: 8 }));
  growing.endAt(14);
  expect(Buffer.concat([...growing.pieces()]).toString()).toBe("three\n");
  const one = { offset: 0, mostBytes: 100, range: rangeOf({ transcriptEnd: 8 }) };
  expect(transcriptPart(path, one)).toEqual({ text: "one\ntwo\n", next: 8, size: 8 });
  const two = { offset: 4, mostBytes: 7, range: rangeOf({ offset: 4 }) };
  expect(transcriptPart(path, two)).toEqual({ text: "three\n", next: 10, size: 15 });
});

test("what the CLI says of its own work is no part of the conversation", () => {
  for (const subtype of ["task_started", "task_updated", "task_notification"])
    expect(system(subtype, { task_id: "t" })).toEqual([]);
  expect(system("informational", { prompt_submit_outcome: { kind: "blocked_by_hook" } })).toEqual([]);
  const answer = { subtype: "success", request_id: "begin", response: { agents: [] } };
  expect(parts({ type: "control_response", response: answer })).toEqual([]);
});
