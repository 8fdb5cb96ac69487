// What is kept of a transcript while it is read, message by message.
import { describe, expect, test } from "bun:test";
import { LineCutter } from "../../src/claude/lines.ts";
import { applyLine, isCutOff, isQuiet, newReading, type Reading } from "../../src/claude/reading.ts";

type Fields = Record<string, unknown>;

function readText(...lines: string[]): Reading {
  const reading = newReading();
  const cutter = new LineCutter();
  for (const line of cutter.push(new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))))
    applyLine(reading, line);
  return reading;
}
const read = (...lines: Fields[]) => readText(...lines.map((line) => JSON.stringify(line)));

const init: Fields = { type: "system", subtype: "init", model: "opus" };
const result: Fields = { type: "result", subtype: "success", result: "done", num_turns: 1 };
const says = (text: string, more: Fields = {}): Fields => ({
  type: "assistant",
  message: { content: [{ type: "text", text }] },
  ...more,
});
const retry = (more: Fields = {}): Fields => ({ type: "system", subtype: "api_retry", ...more });

describe("messages", () => {
  test("are counted, and told from lines that are none", () => {
    const reading = readText(JSON.stringify(init), "no JSON", "", "5", '{"type":"new"}');
    expect([reading.messages, reading.otherLines]).toEqual([3, 2]);
  });

  test("of a model are replies, and those that the CLI makes of an error are not", () => {
    const reading = read(
      init,
      says("a"),
      says("b", { error: "overloaded" }),
      says("c", { parent_tool_use_id: "t" }),
    );
    expect(reading.replies).toBe(2);
  });
});

describe("what is going on", () => {
  test.each([
    [[init], "started"],
    [[init, says("Looking")], "Looking"],
    [[init, says("Looking"), { type: "assistant", message: { content: [{ type: "image" }] } }], "Looking"],
    [
      [init, retry({ attempt: 1, max_retries: 10, error_status: 529 })],
      "waiting for the API (status 529, retry 1 of 10)",
    ],
    [[init, retry({ error_status: null })], "waiting for the API (no answer, retry ? of ?)"],
    [[init, result], "answered"],
  ] satisfies [Fields[], string][])("after %j is %j", (lines, activity) => {
    expect(read(...lines).activity).toBe(activity);
  });

  test("is a turn, from its first message to its result; a subagent's word begins none", () => {
    const isOpen = (...lines: Fields[]) => read(...lines).turnIsOpen;
    expect(isOpen()).toBe(false);
    expect(isOpen(init)).toBe(true);
    expect(isOpen(init, result)).toBe(false);
    expect(isOpen(init, result, says("more"))).toBe(true);
    expect(isOpen(init, result, says("below", { parent_tool_use_id: "t" }))).toBe(false);
  });

  test("is nothing once there is an answer, no turn runs and no agent works", () => {
    const agents = (...ids: string[]): Fields => ({
      type: "system",
      subtype: "background_tasks_changed",
      tasks: ids.map((task_id) => ({ task_id, task_type: "local_agent" })),
    });
    const states = (...lines: Fields[]) => {
      const reading = read(...lines);
      return { isQuiet: isQuiet(reading), isCutOff: isCutOff(reading) };
    };
    expect(states()).toEqual({ isQuiet: false, isCutOff: false });
    expect(states(init)).toEqual({ isQuiet: false, isCutOff: true });
    expect(states(init, result)).toEqual({ isQuiet: true, isCutOff: false });
    expect(states(init, agents("a"), result)).toEqual({ isQuiet: false, isCutOff: true });
    expect(states(init, result, init)).toEqual({ isQuiet: false, isCutOff: true });
    const stopped = { type: "system", subtype: "task_notification", task_id: "a", status: "stopped" };
    const cut = [init, agents("a"), result, agents(), stopped, stopped];
    expect(states(...cut)).toEqual({ isQuiet: true, isCutOff: true });
    expect(read(...cut).cutAgents.map(({ id }) => id)).toEqual(["a"]);
  });
});

describe("the last words", () => {
  test("are the end of what Claude itself said last, whatever came of it", () => {
    expect(read(init, says("one"), says("two")).lastText).toBe("two");
    expect(read(init, says("one"), says("below", { parent_tool_use_id: "t" })).lastText).toBe("one");
    expect(read(init, says("one"), says("API Error", { error: "overloaded" })).lastText).toBe("API Error");
    expect(read(init, says(`${"x".repeat(4_000)}end`)).lastText).toBe(`${"x".repeat(3_997)}end`);
  });

  test("of a turn are what stands for an empty result: neither an error nor a blank", () => {
    const textOf = (...lines: Fields[]) => read(...lines).turnText?.length;
    expect(textOf(init, says("four"))).toBe(4);
    expect(textOf(init, says("four"), says("API Error", { error: "overloaded" }))).toBe(4);
    expect(textOf(init, says("four"), says(" \n"))).toBe(4);
    expect(textOf(init, says("four"), init)).toBeUndefined();
  });

  test("an error kind is the last one of the main turn", () => {
    const error = (kind: string, more: Fields = {}) => says("API Error", { error: kind, ...more });
    expect(read(init, error("overloaded"), error("rate_limit")).errorKind).toBe("rate_limit");
    expect(read(init, error("overloaded"), error("rate_limit", { parent_tool_use_id: "t" })).errorKind).toBe(
      "overloaded",
    );
    expect(read(init, error("overloaded"), init)).not.toHaveProperty("errorKind");
  });
});

describe("calls that the API did not take", () => {
  test.each([
    [{ error_status: 429 }, 1, 0],
    [{ error_status: 529 }, 1, 0],
    [{ error: "rate_limit" }, 1, 0],
    [{ error: "overloaded" }, 1, 0],
    [{ error_status: 500 }, 0, 0],
    [{ error_status: 401, error: "authentication_failed" }, 0, 1],
    [{}, 0, 0],
  ])("with %j are throttles: %d, refusals of the login: %d", (more, throttles, loginRefusals) => {
    expect(read(init, retry(more))).toMatchObject({ throttles, loginRefusals });
  });

  test("are waited for until the next message", () => {
    const reading = read(init, retry({ retry_delay_ms: 500 }), retry({ retry_delay_ms: 700 }));
    expect(reading).toMatchObject({ apiWaitMs: 700, apiWaitedMs: 500 });
    expect(read(init, retry({ retry_delay_ms: 500 }), says("a"))).toMatchObject({
      apiWaitMs: 0,
      apiWaitedMs: 500,
    });
    expect(read(init, retry()).apiWaitMs).toBe(0);
  });

  test("an event that rejects is kept with its times in milliseconds, until one allows or Claude replies", () => {
    const event = (info: Fields): Fields => ({ type: "rate_limit_event", rate_limit_info: info });
    const rejected = event({
      status: "rejected",
      resetsAt: 5,
      rateLimitType: "five_hour",
      overageStatus: "rejected",
      overageResetsAt: 6,
      overageDisabledReason: "out_of_credits",
    });
    expect(read(init, rejected).limitRejected).toEqual({
      resetsAt: 5_000,
      type: "five_hour",
      overageRejected: true,
      overageResetsAt: 6_000,
      overageDisabledReason: "out_of_credits",
    });
    expect(read(init, event({ status: "rejected", overageStatus: "allowed" })).limitRejected).toEqual({});
    expect(read(init, rejected, event({ status: "allowed" }))).not.toHaveProperty("limitRejected");
    expect(read(init, rejected, says("a"))).not.toHaveProperty("limitRejected");
    expect(read(init, rejected, says("a", { parent_tool_use_id: "t" }))).toHaveProperty("limitRejected");
    expect(read(init, rejected, says("a", { error: "rate_limit" }))).toHaveProperty("limitRejected");
  });
});

describe("what else a session says of itself", () => {
  test("is kept", () => {
    const informational = (more: Fields): Fields => ({
      type: "system",
      subtype: "informational",
      prompt_submit_outcome: { kind: "blocked_by_hook", ...more },
    });
    expect(read(init, informational({ reason: "no" })).blockedBy).toBe("no");
    expect(read(init, informational({})).blockedBy).toBe("");
    expect(read(init, informational({ reason: "no" }), init)).not.toHaveProperty("blockedBy");
    const fallback = { type: "system", subtype: "model_fallback", original_model: "a", fallback_model: "b" };
    expect(read(init, fallback).fallbacks).toEqual([{ from: "a", to: "b" }]);
  });

  test.each([
    [["transcript"], true],
    [["todos", "transcript"], true],
    [["todos"], false],
    ["unknown", true],
  ])("lost writes of %j: not saved: %p", (lost, isUnsaved) => {
    expect(read(init, { type: "system", subtype: "session_writes_lost", lost }).isUnsaved).toBe(isUnsaved);
  });

  test("the answer to `initialize` has the agents, where it is ours and says so", () => {
    const answer = (request_id: string, response?: object): Fields => ({
      type: "control_response",
      response: { subtype: "success", request_id, response },
    });
    const of = (line: Fields) => {
      const { isInitialized, agents } = read(line);
      return { isInitialized, agents };
    };
    expect(of(init)).toEqual({ isInitialized: false, agents: undefined });
    expect(of(answer("begin", { agents: [{ name: "a" }] }))).toEqual({ isInitialized: true, agents: ["a"] });
    expect(of(answer("begin"))).toEqual({ isInitialized: true, agents: undefined });
    expect(of(answer("end", { agents: [] }))).toEqual({ isInitialized: false, agents: undefined });
  });

  test("five hundred refusals are kept, and no more", () => {
    const refused = (id: string): Fields => ({
      type: "user",
      message: { content: [{ type: "tool_result", tool_use_id: id, is_error: true, content: `no ${id}` }] },
    });
    const reading = read(init, ...Array.from({ length: 501 }, (_, index) => refused(`t${index}`)));
    expect(reading.refusals.size).toBe(500);
    expect(reading.refusals.get("t0")).toEqual({ id: "t0", message: "no t0", byHook: false });
    expect(reading.refusals.has("t500")).toBe(false);
  });

  test("results that others caused, and those that were lost, are counted", () => {
    const of = (more: Fields) => ({ ...result, ...more });
    const foreign = of({ origin: { kind: "peer" } });
    expect(read(init, foreign, of({ origin: { kind: "human" } }))).toMatchObject({
      foreignResults: 1,
      earlier: [],
    });
    expect(read(init, of({ result_index: 1 }), of({ result_index: 2 })).lostResults).toBe(1);
    expect(read(init, foreign, of({ result_index: 1 })).lostResults).toBe(0);
    expect(read(init, of({ result_index: 0 }), of({ result_index: 0 })).lostResults).toBe(0);
  });

  test("a throttle that ends the session at once counts, too", () => {
    const refused = { ...result, is_error: true, result: "API Error: 529 overloaded", api_error_status: 529 };
    expect(read(init, says("API Error", { error: "overloaded" }), refused)).toMatchObject({
      throttles: 1,
      failed: { kind: "failed", reason: "overloaded" },
    });
    expect(read(init, refused, init, result)).toMatchObject({ throttles: 1, failed: undefined });
  });
});

test("a line that is too long to be kept is read again whole where its ends do not tell enough", () => {
  const text = JSON.stringify({ ...result, result: "whole" });
  const oversized = { kind: "oversized", offset: 7, length: 9_000_000, tail: "}" } as const;
  const reading = newReading();
  let asked = 0;
  const whole = () => {
    asked++;
    return { kind: "whole", offset: 7, length: text.length, text } as const;
  };
  applyLine(reading, { ...oversized, head: '{"type":"user","x":' }, whole);
  expect([asked, reading.answer]).toEqual([0, undefined]);
  applyLine(reading, { ...oversized, head: '{"type":"result","structured_output":[' }, whole);
  expect(asked).toBe(1);
  expect(reading.answer).toMatchObject({ offset: 7, textLength: 5, result: { result: "whole" } });
  expect(reading.messages).toBe(2);
});

describe("the next conversation of the same process", () => {
  const reset: Fields = { type: "conversation_reset" };
  const more: Fields[] = [init, says("of another task"), { ...result, result: "another" }];

  test("counts for nothing, behind the answer", () => {
    const reading = read(init, says("mine"), result, reset, ...more);
    expect(reading.answer?.result.result).toBe("done");
    expect(reading.replies).toBe(1);
    expect(reading.resetAt).toBeGreaterThan(0);
  });

  test("is this one's own, if the prompt was `/clear`", () => {
    const reading = read(init, reset, init, result);
    expect(reading.answer?.result.result).toBe("done");
    expect(reading.resetAt).toBeUndefined();
  });

  test("may begin with any number of its results, and misses those that follow", () => {
    const part = { ...newReading(), firstResult: undefined };
    const cutter = new LineCutter();
    const lines = [init, { ...result, result_index: 7 }, init, { ...result, result_index: 9 }];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    for (const line of cutter.push(new TextEncoder().encode(text))) applyLine(part, line);
    expect(part).toMatchObject({ firstResult: 7, lostResults: 1 });
  });
});
