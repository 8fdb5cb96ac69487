// What a client is answered of a batch: how much of each text, and how it reads on.
import { describe, expect, test } from "bun:test";
import type { DoneTask } from "../../src/model/state.ts";
import {
  awaitsCost,
  awaitsMemory,
  awaitsProcessors,
  awaitsProof,
  awaitsStart,
  lacksMemory,
} from "../../src/model/wait-reason.ts";
import { batchTask, batchTaskAnswer, cancelBatchTask } from "../../src/operations/batch-tasks.ts";
import { callsMoveAfterMs } from "../../src/operations/claude-code-client.ts";
import { clientAnswerOf } from "../../src/operations/client-answer.ts";
import { clientTable, limitsOf } from "../../src/operations/client-limits.ts";
import { readConfiguration } from "../../src/operations/configuration.ts";
import { farText, interruptedText } from "../../src/operations/far-text.ts";
import { cursorFrom, isHeldLong, nextCheckSeconds } from "../../src/operations/news.ts";
import { taskText } from "../../src/operations/task-text.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";
import { after, created, ended, started, succeeded } from "../model/events.ts";

function answerOf({ log }: TestBatch, mostCharacters: number) {
  log.refresh();
  return clientAnswerOf(log.state, { word: "running", mostCharacters, door: "tools", message: "So far." });
}

function doneTask({ log: { state } }: TestBatch, number: number): DoneTask {
  const task = state.tasks[number - 1];
  if (task?.status !== "done") throw new Error("not done");
  return task;
}

describe("the answer of a batch", () => {
  test("is whole where it fits, and lists what has not ended", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 3 }).answer(1, "one").end(3, failed);
    const answer = await answerOf(batch, 10_000);
    expect(answer).toMatchObject({
      message: "So far.",
      results: [
        { taskIndex: 1, result: "one" },
        { taskIndex: 3, outcome: "failed: max-turns" },
      ],
      pending: [2],
    });
    expect(answer.results[0]).not.toHaveProperty("textLength");
    for (const name of ["resultsLeftOut", "morePending", "pendingRanges"])
      expect(answer).not.toHaveProperty(name);
  });

  test("shortens long texts, and says how to read on", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "a").answer(2, "x".repeat(5_000));
    const answer = await answerOf(batch, 3_000);
    const [first, second] = answer.results;
    expect(first).toMatchObject({ result: "a" });
    expect(second).toMatchObject({ truncated: true, textLength: 5_000 });
    expect(second?.result).toMatch(/^x+ \[…\]$/);
    const shown = second?.nextFrom;
    expect(second?.result?.length).toBe((shown ?? 0) + 4);
    expect(answer.message).toBe(
      `So far. Texts are shortened because the answer would be too long; those that are have \`truncated\`. \`resultFile\` has them up to 1,000,000 characters, and read_batch_results reads on, such as task 2: batchId ${batch.id}, tasks [2], from ${shown}.`,
    );
    expect(JSON.stringify(answer).length).toBeWithin(2_800, 3_001);
  });

  test("leaves results out that do not fit, and says so", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 40 });
    for (let task = 1; task <= 40; task++) batch.answer(task, "y".repeat(900));
    const answer = await answerOf(batch, 6_000);
    const shown = answer.results.length;
    expect(shown).toBeWithin(2, 30);
    expect(answer.resultsLeftOut).toBe(40 - shown);
    expect(answer.message).toStartWith(
      `So far. The results of ${40 - shown} more tasks that ended are left out, for the answer would be too long: read_batch_results (batchId ${batch.id}, offset ${shown}) gives them.`,
    );
    expect(JSON.stringify(answer).length).toBeLessThan(6_001);
  });

  test("lists fifty tasks that have not ended, and of more the ranges", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 53 });
    for (const task of [2, 4, 6]) batch.answer(task, "a");
    expect(await answerOf(batch, 100_000)).toMatchObject({ pending: { length: 50 } });
    expect(await answerOf(batch, 100_000)).not.toHaveProperty("morePending");
    const larger = inside.batch(inside.context(), { tasks: 54 });
    for (const task of [2, 4, 52]) larger.answer(task, "a");
    const answer = await answerOf(larger, 100_000);
    expect(answer).toMatchObject({ morePending: 1, pendingRanges: ["1", "3", "5-51", "53-54"] });
    expect(answer.pending).toHaveLength(50);
    expect(answer.pending.at(-1)).toBe(53);
  });
});

describe("the text of a task", () => {
  test("is what was answered, with what was said before and after it", () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    const line = (result: string) => `${JSON.stringify({ type: "result", result })}\n`;
    const [first, answer, later] = ["earlier words", "the answer", "later words"].map(line) as [
      string,
      string,
      string,
    ];
    inside.write(`${batch.id}-1.ndjson`, first + answer + later);
    batch.end(1, {
      kind: "succeeded",
      length: 10,
      offset: first.length,
      earlierOffsets: [0],
      laterOffsets: [first.length + answer.length],
    });
    const task = doneTask(batch, 1);
    const whole = taskText(task, { from: 0, characters: 1_000 });
    expect(whole.text).toMatch(/^the answer\n\n.+\n\nearlier words\n\n.+\n\nlater words$/s);
    expect(whole).toMatchObject({ from: 0, length: whole.text.length, more: false });
    // Any part is that part of the whole.
    for (const [from, characters] of [
      [0, 4],
      [4, 6],
      [5, 30],
      [10, 20],
      [whole.length - 5, 100],
      [whole.length, 9],
    ] as const) {
      const part = taskText(task, { from, characters });
      expect(part.text).toBe(whole.text.slice(from, from + characters));
      expect(part.more).toBe(from + characters < whole.length);
      expect(part.length).toBe(whole.length);
    }
  });

  test("is data where an answer has no words, and what went wrong where it failed", () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 3 });
    batch.end(1, { kind: "succeeded", length: 0, offset: 0, structured: { a: 1 } }).end(2, failed);
    batch.append({ type: "cancel-requested", by: "user" });
    const text = (task: number) => taskText(doneTask(batch, task), { from: 0, characters: 99 });
    expect(text(1)).toEqual({ text: '{"a":1}', from: 0, length: 7, more: false });
    expect(text(2)).toEqual({ text: "Reached its turn limit", from: 0, length: 22, more: false });
    expect(text(3)).toEqual({ text: "Cancelled by the user", from: 0, length: 21, more: false });
  });

  test("cuts no character in half, and gives at least one", () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "ab🙂cd");
    const text = (from: number, characters: number) => taskText(doneTask(batch, 1), { from, characters });
    expect(text(0, 3)).toEqual({ text: "ab", from: 0, length: 6, more: true });
    expect(text(0, 4).text).toBe("ab🙂");
    expect(text(2, 1).text).toBe("🙂");
    expect(text(4, 2)).toEqual({ text: "cd", from: 4, length: 6, more: false });
  });

  test("says so where the transcript is gone", () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).end(1, succeeded);
    const { text, from, length, more } = taskText(doneTask(batch, 1), { from: 3, characters: 9 });
    expect(text).toStartWith(`The transcript ${batch.transcript(1)} cannot be read: `);
    expect({ from, length, more }).toEqual({ from: 0, length: text.length, more: false });
  });
});

describe("a batch as a task of the protocol", () => {
  const limits = { waitSeconds: 0, answerCharacters: 10_000 };

  test("stands as the batch does", () => {
    using inside = new Inside();
    const context = inside.context();
    const task = ({ id }: TestBatch) => batchTask(context, id);
    const two = () => inside.batch(context, { tasks: 2 }).answer(1, "yes");
    expect(batchTask(context, "bcdfghjk")).toBeUndefined();
    expect(batchTask(context, "no id")).toBeUndefined();
    const running = two();
    expect(task(running)).toEqual({
      status: "working",
      createdAt: running.log.state.createdAt,
      changedAt: running.log.state.changedAt,
      message: "1 of 2 tasks has ended: 1 succeeded. It is still running; ask again later.",
    });
    const by = (canceller: "client" | "user" | "budget") =>
      two().append({ type: "cancel-requested", by: canceller }, { type: "batch-ended" });
    const kept = (batch: TestBatch) =>
      `The results so far are kept: read_batch_results (batchId ${batch.id}) returns them.`;
    const [client, user, budget] = [by("client"), by("user"), by("budget")];
    expect(task(client)).toMatchObject({
      status: "cancelled",
      message: expect.stringContaining(kept(client)),
    });
    expect(task(user)).toMatchObject({ status: "cancelled", message: expect.stringContaining(kept(user)) });
    expect(task(budget)).toMatchObject({
      status: "completed",
      message: expect.not.stringContaining("are kept:"),
    });
    const none = inside
      .batch(context)
      .append({ type: "cancel-requested", by: "user" }, { type: "batch-ended" });
    expect(task(none)).toMatchObject({
      status: "cancelled",
      message: expect.not.stringContaining("are kept:"),
    });
    expect(task(inside.batch(context, { isRun: false }))?.status).toBe("completed");
    expect(task(inside.batch(context).answer(1, "yes").finish())?.status).toBe("completed");
  });

  test("answers as the call would have, and can be cancelled", async () => {
    using inside = new Inside();
    const context = inside.context();
    const many = inside.batch(context, { tasks: 2 }).answer(1, "yes");
    expect(await batchTaskAnswer(context, many.id, limits)).toMatchObject({
      results: [{ result: "yes" }],
      pending: [2],
    });
    const one = inside.batch(context, { batch: { startedBy: "spawn_claude_session" } }).answer(1, "yes");
    const answer = await batchTaskAnswer(context, one.id, limits);
    expect(answer).toMatchObject({ result: "yes", totalTasks: 1 });
    expect(answer).not.toHaveProperty("results");
    await expect(batchTaskAnswer(context, "bcdfghjk", limits)).rejects.toThrow(
      "Internal error: there is no batch bcdfghjk",
    );
    expect(await cancelBatchTask(context, "bcdfghjk")).toBe(false);
    expect(await cancelBatchTask(context, many.id)).toBe(true);
    many.log.refresh();
    expect(many.log.state.cancelledBy).toBe("client");
    const over = inside.batch(context).answer(1, "yes").finish();
    const { sequence } = over.log;
    expect(await cancelBatchTask(context, over.id)).toBe(true);
    over.log.refresh();
    expect(over.log.sequence).toBe(sequence);
  });
});

describe("when to ask again", () => {
  const minute = 60_000;
  const took = (...durations: number[]) =>
    after(
      created(durations.length),
      ...durations.flatMap((ms, index) => [
        started(1_000, index + 1, 1),
        ended(1_000 + ms, index + 1, 1, succeeded),
      ]),
    );

  test("is the median of what tasks took, five seconds to a minute", () => {
    expect(nextCheckSeconds(took(20_000))).toBe(20);
    expect(nextCheckSeconds(took(30_000, 10_000, 20_400))).toBe(20);
    expect(nextCheckSeconds(took(10_000, 30_000))).toBe(30);
    expect(nextCheckSeconds(took(100))).toBe(5);
    expect(nextCheckSeconds(took(5 * minute))).toBe(60);
  });

  test("is as long as a batch has run of which nothing has ended, and until a hold ends where nothing runs", () => {
    const state = after(created(1));
    expect(nextCheckSeconds(state)).toBe(60);
    expect(nextCheckSeconds({ ...state, createdAt: Date.now() + minute })).toBe(5);
    expect(nextCheckSeconds(state, Date.now() + 24 * 60 * minute)).toBe(3_600);
    expect(nextCheckSeconds(state, Date.now() - minute)).toBe(5);
    const isRunning = after(created(1), started(2, 1, 1));
    expect(nextCheckSeconds(isRunning, Date.now() + 24 * 60 * minute)).toBe(60);
  });

  test("a pause is one that takes a while, and while nothing runs", () => {
    using inside = new Inside();
    const context = inside.context();
    const paused = (running: boolean, hold: { because: string; until?: number } | undefined) => {
      const batch = running ? inside.batch(context).start(1) : inside.batch(context);
      context.store.setHeld(batch.log.batchId, hold);
      const row = context.store.row(batch.log.batchId);
      return row && isHeldLong(row);
    };
    expect(paused(false, undefined)).toBe(false);
    expect(paused(false, { because: "x" })).toBe(true);
    expect(paused(true, { because: "x" })).toBe(false);
    // The last session has ended this moment, and what is shown is about to change.
    for (const because of [
      awaitsProof,
      `${awaitsCost}: the batch has cost $3.00 of its budget of $5.00.`,
      `${awaitsMemory}: the running session may take 200 MB.`,
      `${awaitsProcessors}: processes on this machine waited for them 95 % of the time.`,
      awaitsStart,
    ])
      expect(paused(false, { because })).toBe(false);
    expect(paused(false, { because: `${lacksMemory} Close other programs.` })).toBe(true);
    expect(paused(false, { because: "x", until: Date.now() + minute })).toBe(true);
    expect(paused(false, { because: "x", until: Date.now() + 2_000 })).toBe(false);
    expect(cursorFrom("12-ab")).toEqual({ sequence: 12, held: "ab" });
    expect(cursorFrom("12")).toEqual({ sequence: 12, held: undefined });
  });
});

test("what is said of processes that cannot be looked at", () => {
  using inside = new Inside();
  const context = inside.context();
  const { log } = inside.batch(context);
  const row = context.store.row(log.batchId);
  if (!row) throw new Error("no row");
  const far = { ...row, runner: { boot: "far", namespace: "x", pid: 1, startTicks: "1" } };
  const at = far.aliveAt;
  const sentence = (retry: string, cancel: string) =>
    `Its processes are in another container or on another machine, and last reported 20 s ago. If they do not report for 60 s, the batch counts as interrupted; ${retry} then resumes it, and ${cancel} ends it.`;
  expect(farText(far, "tools", at + 20_000)).toBe(
    sentence(`retry_batch (batchId ${log.batchId})`, `cancel_batch (batchId ${log.batchId})`),
  );
  expect(farText(far, "command-line", at + 20_000)).toBe(
    sentence(
      `\`parallel-claude-code-mcp retry ${log.batchId}\``,
      `\`parallel-claude-code-mcp cancel ${log.batchId}\``,
    ),
  );
  expect(farText(far, "tools", at + 61_000)).toBeUndefined();
  expect(farText({ ...far, endedAt: at }, "tools", at + 20_000)).toBeUndefined();
  expect(farText(row, "tools", at + 20_000)).toBeUndefined();
  expect(interruptedText(far, at + 61_000)).toStartWith(
    "Its processes are in another container or on another machine, and have not reported for 1 min",
  );
  expect(interruptedText(row, at)).toBe("Its processes are gone.");
});

describe("what a client bears", () => {
  const inForce = () =>
    readConfiguration({ PARALLEL_CLAUDE_STATE_DIRECTORY: "/s", XDG_CONFIG_HOME: "/nowhere" });
  const waits: [name: string | undefined, environment: Record<string, string>, waitSeconds: number][] = [
    [undefined, {}, 45],
    ["something", {}, 45],
    ["Claude-AI", {}, 45],
    ["claude-code", {}, 110],
    ["Claude Code", { CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "60000" }, 55],
    ["claude-code", { CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "600" }, 1],
    ["claude-code", { CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "9000000" }, 1_500],
    ["claude-code", { CLAUDE_CODE_ENTRYPOINT: "sdk-cli" }, 1_500],
    ["codex-mcp-client", {}, 100],
    ["cursor-vscode", {}, 240],
  ];
  for (const [name, environment, waitSeconds] of waits)
    test(`${name ?? "a client without a name"} ${JSON.stringify(environment)} waits ${waitSeconds} s`, () => {
      expect(limitsOf({ name, environment }, inForce())).toEqual({ waitSeconds, answerCharacters: 100_000 });
    });

  test("is what the operator says", () => {
    const set = readConfiguration({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "7", XDG_CONFIG_HOME: "/nowhere" });
    expect(limitsOf({ name: "claude-code" }, set).waitSeconds).toBe(7);
    expect(clientTable.map(({ client }) => client)).toContain("any other");
  });

  test("Claude Code moves calls by its environment", () => {
    const cases: [environment: Record<string, string>, ms: number | undefined][] = [
      [{}, 120_000],
      [{ CLAUDE_CODE_ENTRYPOINT: "cli" }, 120_000],
      [{ CLAUDE_CODE_ENTRYPOINT: "sdk-ts" }, undefined],
      [{ CLAUDE_CODE_ENTRYPOINT: "sdk-ts", CLAUDE_AUTO_BACKGROUND_TASKS: "1" }, 120_000],
      [{ CLAUDE_CODE_ENTRYPOINT: "sdk-ts", CLAUDE_AUTO_BACKGROUND_TASKS: "0" }, undefined],
      [{ CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "true" }, undefined],
      [{ CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "no" }, 120_000],
      [{ CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "0" }, undefined],
      [{ CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "5000" }, 5_000],
      [{ CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "soon" }, 120_000],
    ];
    for (const [environment, ms] of cases) expect(callsMoveAfterMs(environment)).toBe(ms);
  });
});
