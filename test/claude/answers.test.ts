// What counts as the answer of a session, and what it cost, out of the lines that it printed.
import { describe, expect, test } from "bun:test";
import { activityOf } from "../../src/claude/activity.ts";
import { LineCutter } from "../../src/claude/lines.ts";
import { type Evidence, outcomeOf } from "../../src/claude/outcome.ts";
import { applyLine, isFinal, newReading, type Reading } from "../../src/claude/reading.ts";
import { usageOf } from "../../src/claude/usage.ts";

type Fields = Record<string, unknown>;

const init: Fields = { type: "system", subtype: "init", session_id: "s", apiKeySource: "none" };

function said(text: string, more: Fields = {}): Fields {
  return {
    type: "assistant",
    parent_tool_use_id: null,
    message: { content: [{ type: "text", text }] },
    ...more,
  };
}

function result(text: string, more: Fields = {}): Fields {
  return {
    type: "result",
    subtype: "success",
    is_error: false,
    num_turns: 1,
    result: text,
    session_id: "s",
    ...more,
  };
}

function used(costUSD: number): Fields {
  const tokens = { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, cacheCreationInputTokens: 4 };
  return { opus: { ...tokens, costUSD } };
}

/** All that goes on in the background. */
function open(...types: string[]): Fields {
  const tasks = types.map((task_type, index) => ({
    task_id: `t${index}`,
    task_type,
    description: `work ${index}`,
  }));
  return { type: "system", subtype: "background_tasks_changed", tasks };
}

function change(subtype: string, more: Fields = {}): Fields {
  return { type: "system", subtype, task_id: "t0", task_type: "local_agent", description: "work 0", ...more };
}

const followUp = { origin: { kind: "task-notification" } };

function read(...lines: Fields[]): Reading {
  const reading = newReading();
  const cutter = new LineCutter();
  for (const line of lines) {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    for (const cut of cutter.push(bytes)) applyLine(reading, cut);
  }
  return reading;
}

function outcome(reading: Reading, more: Partial<Evidence> = {}) {
  const evidence = { reading, stderrTail: "", structured: false, slashCommands: false, now: Date.now() };
  return outcomeOf({ ...evidence, exit: { code: 0 }, ...more });
}

/** Where the line begins that is the given one of these, in bytes. */
function offsetOf(index: number, lines: Fields[]): number {
  return lines.slice(0, index).reduce((sum, line) => sum + Buffer.byteLength(JSON.stringify(line)) + 1, 0);
}

describe("the answer", () => {
  test("is the last result, and those before it are kept", () => {
    const lines = [
      init,
      open("local_agent"),
      said("I wait"),
      result("I wait"),
      open(),
      init,
      result("done", followUp),
    ];
    expect(outcome(read(...lines))).toEqual({
      kind: "succeeded",
      length: 4,
      offset: offsetOf(6, lines),
      earlierOffsets: [offsetOf(3, lines)],
    });
  });

  test("is not there yet while a subagent works, or a turn runs", () => {
    const waiting = [init, open("local_agent"), result("I wait")];
    expect(isFinal(read(...waiting))).toBe(false);
    expect(isFinal(read(...waiting, open()))).toBe(true);
    expect(isFinal(read(...waiting, open(), init))).toBe(false);
    expect(isFinal(read(...waiting, open(), init, result("done", followUp)))).toBe(true);
    // Nobody asked for what the CLI does for itself, and what goes on elsewhere needs no process.
    for (const mark of ["ambient", "off_host"]) {
      const tasks = [{ task_id: "t0", task_type: "remote_agent", description: "x", [mark]: true }];
      const listed = { type: "system", subtype: "background_tasks_changed", tasks };
      expect(isFinal(read(init, listed, result("done")))).toBe(true);
    }
    for (const type of ["local_workflow", "in_process_teammate", "remote_agent"])
      expect(isFinal(read(init, open(type), result("I wait")))).toBe(false);
    // A command may be a server, which never ends; so may a monitor.
    expect(isFinal(read(init, open("monitor_mcp"), result("it runs")))).toBe(true);
    expect(isFinal(read(init, open("local_bash"), result("it runs")))).toBe(true);
  });

  test("older versions, which list nothing, say what begins and ends", () => {
    const begun = [init, change("task_started"), result("I wait")];
    expect(isFinal(read(...begun))).toBe(false);
    expect(isFinal(read(...begun, change("task_notification", { status: "completed" })))).toBe(true);
    expect(isFinal(read(...begun, change("task_updated", { patch: { status: "failed" } })))).toBe(true);
    const own = change("task_started", { is_backgrounded: false });
    expect(isFinal(read(init, own, result("done")))).toBe(true);
  });

  test("what a session says that was cut off is interim, whoever cut it off", () => {
    const lines = [init, open("local_agent"), result("I wait")];
    const interimOffsets = [offsetOf(2, lines)];
    expect(outcome(read(...lines), { exit: { signal: "SIGKILL" } })).toEqual({
      kind: "crashed",
      signal: "SIGKILL",
      stderrTail: "",
      interimOffsets,
    });
    const stopped = [change("task_notification", { status: "stopped" }), open()];
    const ending = { kind: "timed-out", clock: "wall", afterMs: 1_000 } as const;
    expect(outcome(read(...lines, ...stopped), { ending })).toEqual({ ...ending, interimOffsets });
    // The list may be empty before it is said why.
    const reversed = stopped.toReversed();
    expect(outcome(read(...lines, ...reversed), { ending })).toEqual({ ...ending, interimOffsets });
    // What Claude itself stopped, it knows of.
    const known = [init, open("local_agent"), change("task_notification", { status: "stopped" }), open()];
    expect(outcome(read(...known, result("done")))).toMatchObject({ kind: "succeeded" });
  });

  test("an error in a later turn is the outcome, and what was answered before is kept", () => {
    const failed = { is_error: true, api_error_status: 500, ...followUp };
    const lines = [
      init,
      open("local_agent"),
      result("I wait"),
      open(),
      init,
      result("API Error: 500", failed),
    ];
    expect(outcome(read(...lines))).toMatchObject({
      kind: "failed",
      reason: "server-error",
      interimOffsets: [offsetOf(2, lines)],
    });
    // The error of one turn explains no other.
    const error = said("API Error", { error: "model_not_found" });
    const other = [
      init,
      error,
      result("x", { is_error: true }),
      init,
      result("y", { is_error: true, ...followUp }),
    ];
    expect(outcome(read(...other))).toMatchObject({ reason: "execution" });
    // Nor does that of a subagent.
    const below = said("API Error", { error: "model_not_found", parent_tool_use_id: "toolu_1" });
    expect(outcome(read(init, below, result("y", { is_error: true })))).toMatchObject({
      reason: "execution",
    });
  });

  test("a turn caused by another session is not an answer, but counts as cost", () => {
    const from = (kind: string) => ({
      origin: { kind },
      model_usage_since_last_result: used(2),
      total_cost_usd: 3,
    });
    for (const kind of ["peer", "teammate", "channel", "coordinator", "something-new"]) {
      const mine = result("mine", { model_usage_since_last_result: used(1), total_cost_usd: 1 });
      const reading = read(init, mine, init, result("theirs", from(kind)));
      expect(outcome(reading)).toMatchObject({ kind: "succeeded", length: 4 });
      expect(usageOf(reading, 1).costUsd).toBe(3);
    }
    expect(outcome(read(init, result("theirs", from("peer"))))).toMatchObject({ kind: "crashed" });
  });

  test("a result that was counted and not printed is noticed", () => {
    expect(
      read(init, result("a", { result_index: 0 }), init, result("c", { result_index: 2 })).lostResults,
    ).toBe(1);
    const inOrder = [init, result("a", { result_index: 0 }), init, result("b", { result_index: 1 })];
    expect(read(...inOrder).lostResults).toBe(0);
    expect(read(init, result("a")).lostResults).toBe(0);
  });

  test("data may come with any of the results", () => {
    const lines = [
      init,
      open("local_agent"),
      result('{"n":1}', { structured_output: { n: 1 } }),
      open(),
      init,
    ];
    lines.push(result("That was all.", followUp));
    expect(outcome(read(...lines), { structured: true })).toMatchObject({
      kind: "succeeded",
      structured: { n: 1 },
      offset: offsetOf(2, lines),
      laterOffsets: [offsetOf(5, lines)],
    });
    const late = [init, open("local_agent"), result("I wait"), open(), init];
    late.push(result('{"n":2}', { structured_output: { n: 2 }, ...followUp }));
    expect(outcome(read(...late), { structured: true })).toMatchObject({ structured: { n: 2 } });
    expect(outcome(read(init, result("no")), { structured: true })).toMatchObject({ reason: "schema" });
  });

  test("an empty result gives the text before it, and without any it is a failure", () => {
    const lines = [init, said("the answer"), result("")];
    expect(outcome(read(...lines))).toMatchObject({
      kind: "succeeded",
      length: 10,
      offset: offsetOf(1, lines),
    });
    expect(outcome(read(init, result("\n")))).toMatchObject({ kind: "failed", reason: "no-answer" });
    // What a subagent says, or what was said in another turn, is not this turn's answer.
    const below = said("by a subagent", { parent_tool_use_id: "toolu_1" });
    expect(outcome(read(init, below, result("")))).toMatchObject({ reason: "no-answer" });
    // Nothing more to say after an answer is no failure of the task.
    const silent = [init, said("before"), result("x"), init, result("", { num_turns: 0, ...followUp })];
    expect(outcome(read(...silent))).toMatchObject({ kind: "succeeded", offset: offsetOf(2, silent) });
  });

  test("a prompt that a hook blocks, and one that nobody answers, are failures", () => {
    const text = "UserPromptSubmit operation blocked by hook:\n[exit 2]: no entry";
    const prompt_submit_outcome = { kind: "blocked_by_hook", reason: "no entry" };
    const informational = { type: "system", subtype: "informational", prompt_submit_outcome };
    const blocked = result(text, { num_turns: 0 });
    expect(outcome(read(init, informational, blocked))).toEqual({
      kind: "failed",
      reason: "hook",
      message: "no entry",
    });
    expect(outcome(read(init, blocked))).toMatchObject({ reason: "hook", message: text });
    expect(outcome(read(init, result("hm", { num_turns: 0 })))).toMatchObject({ reason: "no-answer" });
    // Some slash commands are answered by the CLI itself.
    const local = read(init, result("Total cost: $0", { num_turns: 0 }));
    expect(outcome(local, { slashCommands: true })).toMatchObject({ kind: "succeeded" });
  });

  test("after a limit of the task's own is the limit's failure, whatever follows", () => {
    const budget = { subtype: "error_max_budget_usd", is_error: true, errors: ["Reached maximum budget"] };
    const stopped = [
      change("task_updated", { patch: { status: "killed" } }),
      change("task_notification", { status: "stopped" }),
      open(),
    ];
    // Upon a budget that is spent, the CLI itself stops the agents.
    const spent = read(init, open("local_agent"), result("", budget), ...stopped);
    expect(isFinal(spent)).toBe(true);
    expect(outcome(spent)).toMatchObject({ kind: "failed", reason: "budget" });
    expect(usageOf(spent, 1)).toMatchObject({ costUsd: 0 });
    const turns = {
      subtype: "error_max_turns",
      is_error: true,
      errors: ["Reached maximum number of turns (2)"],
    };
    const lines = [init, open("local_agent"), result("", turns), open(), init, result("and more", followUp)];
    expect(outcome(read(...lines))).toMatchObject({
      kind: "failed",
      reason: "max-turns",
      interimOffsets: [offsetOf(5, lines)],
    });
  });

  test("stays, when a hook blocks a turn that comes after it", () => {
    const prompt_submit_outcome = { kind: "blocked_by_hook", reason: "no entry" };
    const informational = { type: "system", subtype: "informational", prompt_submit_outcome };
    const blocked = result("UserPromptSubmit operation blocked by hook:\n x", { num_turns: 0, ...followUp });
    const lines = [init, open("local_agent"), result("so far"), open(), init, informational, blocked];
    expect(outcome(read(...lines))).toMatchObject({
      kind: "succeeded",
      length: 6,
      offset: offsetOf(2, lines),
    });
  });

  test("to a slash command may be without a word, where slash commands are meant", () => {
    const silent = read(init, result("", { num_turns: 0 }));
    expect(outcome(silent, { slashCommands: true })).toMatchObject({ kind: "succeeded" });
    expect(outcome(silent)).toMatchObject({ reason: "no-answer" });
    const unknown = read(init, result("Unknown command: /x", { num_turns: 0 }));
    expect(outcome(unknown, { slashCommands: true })).toMatchObject({ reason: "request" });
  });
});

describe("the cost", () => {
  const turn = (usd: number, total: number, more: Fields = {}) =>
    result("x", {
      model_usage_since_last_result: used(usd),
      total_cost_usd: total,
      modelUsage: used(total),
      ...more,
    });

  test("is the sum of what each turn says of itself, whatever the totals have in them", () => {
    const reading = read(init, turn(0.5, 7.5), init, turn(0.25, 7.75, followUp));
    expect(usageOf(reading, 1, { costUsd: 7, models: {} })).toMatchObject({
      costUsd: 0.75,
      models: { opus: { input: 2, output: 4, cacheRead: 6, cacheWritten: 8, costUsd: 0.75 } },
      numTurns: 2,
    });
    // A turn that used nothing says so.
    const refused = result("no", { is_error: true, model_usage_since_last_result: {}, total_cost_usd: 7 });
    expect(usageOf(read(init, refused), 1)).toMatchObject({ costUsd: 0 });
    expect(usageOf(read(init, refused), 1)).not.toHaveProperty("models");
  });

  test("of versions that do not is the total, without what the conversation had cost before", () => {
    const total = result("x", { total_cost_usd: 7.5, modelUsage: used(7.5) });
    expect(usageOf(read(init, total), 1)).toMatchObject({ costUsd: 7.5 });
    const tokens = { input: 1, output: 1, cacheRead: 1, cacheWritten: 1 };
    const before = {
      costUsd: 7,
      models: { opus: { ...tokens, costUsd: 7 }, haiku: { ...tokens, costUsd: 1 } },
    };
    const after = {
      ...total,
      modelUsage: {
        ...used(7.5),
        haiku: {
          inputTokens: 1,
          outputTokens: 1,
          cacheReadInputTokens: 1,
          cacheCreationInputTokens: 1,
          costUSD: 1,
        },
      },
    };
    expect(usageOf(read(init, after), 1, before)).toMatchObject({
      costUsd: 0.5,
      models: { opus: { input: 0, output: 1, cacheRead: 2, cacheWritten: 3, costUsd: 0.5 } },
    });
    expect(Object.keys(usageOf(read(init, after), 1, before).models ?? {})).toEqual(["opus"]);
  });

  test("of a result that was lost is in the total", () => {
    const lines = [init, turn(1, 1, { result_index: 0 }), init, turn(1, 3, { result_index: 2, ...followUp })];
    expect(usageOf(read(...lines), 1)).toMatchObject({ costUsd: 3, models: { opus: { costUsd: 3 } } });
    expect(usageOf(read(...lines), 1, { costUsd: 0.5, models: {} })).toMatchObject({ costUsd: 2.5 });
  });

  test("is `atLeast` for a session that was cut off in a turn or beside one, and for no other", () => {
    expect(usageOf(read(init), 1)).toMatchObject({ costUsd: 0, atLeast: true });
    expect(usageOf(read(init, turn(1, 1), init), 1)).toMatchObject({ costUsd: 1, atLeast: true });
    expect(usageOf(read(init, open("local_agent"), turn(1, 1)), 1)).toMatchObject({ atLeast: true });
    const stopped = change("task_notification", { status: "stopped" });
    expect(usageOf(read(init, open("local_agent"), turn(1, 1), stopped, open()), 1)).toMatchObject({
      atLeast: true,
    });
    for (const exact of [read(init, turn(1, 1)), read(init, open("local_bash"), turn(1, 1)), newReading()])
      expect(usageOf(exact, 1)).not.toHaveProperty("atLeast");
  });
});

test("a session that waits says for what", () => {
  const waiting = [init, open("local_agent", "local_agent", "local_bash"), result("I wait")];
  expect(activityOf(read(...waiting))).toBe("waiting for 2 subagents: work 0, work 1");
  const tool = { type: "tool_use", name: "Bash", input: { command: "ls" } };
  const below = { type: "assistant", parent_tool_use_id: "toolu_1", message: { content: [tool] } };
  expect(activityOf(read(...waiting, below))).toBe("waiting for 2 subagents: work 0, work 1 · Bash ls");
  expect(activityOf(read(init, open("local_bash"), result("it runs")))).toBe(
    "waiting for a background command: work 0",
  );
  expect(activityOf(read(...waiting, open(), init, said("Now I know.")))).toBe("Now I know.");
});

test("a wait of the CLI for the API is believed as far as such waits go", () => {
  const retry = (retry_delay_ms: number) => ({ type: "system", subtype: "api_retry", retry_delay_ms });
  expect(read(retry(30_000)).apiWaitMs).toBe(30_000);
  expect(read(retry(1e15)).apiWaitMs).toBe(120_000);
  expect(read(retry(-5)).apiWaitMs).toBe(0);
  expect(read(retry(30_000), retry(1e15), init)).toMatchObject({ apiWaitMs: 0, apiWaitedMs: 150_000 });
});
