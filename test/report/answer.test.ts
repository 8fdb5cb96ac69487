// The public answer, field by field, in every state of a batch.
import { describe, expect, test } from "bun:test";
import type { Outcome } from "../../src/model/outcome.ts";
import type { BatchState, DoneTask } from "../../src/model/state.ts";
import {
  batchAnswerOf,
  countsText,
  heldFieldsOf,
  heldText,
  type ResultEntry,
  resultEntryOf,
  sessionAnswerOf,
  statusText,
} from "../../src/report/answer.ts";
import { outcomeWord } from "../../src/report/outcome-words.ts";
import { remarksOf } from "../../src/report/remarks.ts";
import { after, created, ended, event, identity, started, succeeded, usageOf } from "../model/events.ts";

function doneIn(state: BatchState, number = 1): DoneTask {
  const task = state.tasks[number - 1];
  if (task?.status !== "done") throw new Error(`Task ${number} has not ended`);
  return task;
}

describe("the answer of a batch", () => {
  const facts = { now: 5_001, reportFile: "/out/report.html" };

  test("that runs has the time so far, what is pending, and estimates", () => {
    const state = after(
      created(3),
      started(1_001, 1, 1),
      ended(3_001, 1, 1, succeeded, { usage: usageOf(2) }),
      started(3_001, 2, 1),
    );
    expect(batchAnswerOf(state, "running", [], facts)).toEqual({
      batchId: "bcdfghjk",
      state: "running",
      totalTasks: 3,
      executionTimeMs: 5_000,
      counts: { queued: 1, running: 1, succeeded: 1, failed: 0, cancelled: 0 },
      totalCostUsd: 2,
      // One is queued, which takes 2 s, and of one that has run as long, a quarter is left.
      secondsLeft: 3,
      costToComeUsd: 4,
      estimate: { tasks: 2, basedOn: 1, costUsd: expect.any(Object), seconds: expect.any(Object) },
      outputDirectory: "/out",
      reportFile: "/out/report.html",
      results: [],
      pending: [2, 3],
    });
  });

  test("that has ended has its own time, and nothing to come", () => {
    const state = after(
      created(1, { batch: { budgetUsd: 9, warnings: ["odd"] } }),
      started(1_001, 1, 1),
      ended(3_001, 1, 1, succeeded, { usage: usageOf(2) }),
      event(4_001, { type: "batch-ended" }),
    );
    expect(batchAnswerOf(state, "finished", [], { ...facts, message: "read" })).toEqual({
      batchId: "bcdfghjk",
      state: "finished",
      totalTasks: 1,
      executionTimeMs: 4_000,
      counts: { queued: 0, running: 0, succeeded: 1, failed: 0, cancelled: 0 },
      end: "succeeded",
      totalCostUsd: 2,
      batchBudgetUsd: 9,
      outputDirectory: "/out",
      reportFile: "/out/report.html",
      message: "read",
      warnings: ["odd"],
      results: [],
      pending: [],
    });
  });

  test("that is held says why and until when", () => {
    const until = Date.UTC(2026, 0, 2, 3, 4, 5);
    const answer = batchAnswerOf(after(created()), "running", [], {
      ...facts,
      held: { because: "limit", until },
    });
    expect(answer).toMatchObject({ heldBecause: "limit", heldUntil: "2026-01-02T03:04:05.000Z" });
  });

  test("is not the state itself, which goes on changing", () => {
    const state = after(created());
    const { counts } = batchAnswerOf(state, "running", [], facts);
    state.counts.queued = 0;
    expect(counts.queued).toBe(1);
  });

  test("of a single session has the fields of its result beside its own", () => {
    const result: ResultEntry = {
      taskIndex: 1,
      taskDescription: "t",
      status: "success",
      result: "r",
      outcome: "succeeded",
    };
    const answer = sessionAnswerOf(batchAnswerOf(after(created()), "running", [result], facts));
    expect(answer).toMatchObject({ batchId: "bcdfghjk", ...result });
    expect(answer).not.toHaveProperty("results");
    expect(answer).not.toHaveProperty("pending");
  });
});

describe("a hold", () => {
  test("has fields only while it is on, and a time only where one is known", () => {
    expect(heldFieldsOf(undefined)).toEqual({});
    expect(heldFieldsOf({ because: "limit" })).toEqual({ heldBecause: "limit" });
  });

  test("is a sentence with the time that is left", () => {
    expect(heldText({ because: "limit" })).toBe("No sessions start for the moment: limit");
    const text = heldText({ because: "limit", until: 720_000 }, 0);
    expect(text).toMatch(/^No sessions start until 1970-01-01 \d\d:12:00 [+-]\d\d:\d\d, in 12 min: limit$/);
  });

  test("whose time is over names no time of the past", () => {
    expect(heldText({ because: "limit", until: 1 }, 5_000)).toBe(
      "One session tries whether this is over: limit",
    );
  });
});

describe("an entry of results", () => {
  test("has everything that is known of a task", () => {
    const outcome: Outcome = { ...succeeded, structured: { a: 1 }, remark: "first" };
    const usage = usageOf(2, { denials: [{ tool: "Bash", rule: "Bash(ls)" }] });
    const state = after(
      created(1, { batch: { sessionOptions: { env: { TOKEN: "" } } } }),
      started(2, 1, 1),
      ended(3, 1, 1, { kind: "crashed", stderrTail: "" }, { retryAt: 4 }),
      started(5, 1, 2),
      ended(6, 1, 2, outcome, { usage, model: "opus", leaked: [identity, identity], remarks: ["second"] }),
    );
    const text = {
      door: "tools" as const,
      text: "answer",
      cut: true,
      textLength: 900,
      nextFrom: 6,
      resultFile: "/out/r.html",
    };
    expect(resultEntryOf(state, doneIn(state), text)).toEqual({
      taskIndex: 1,
      taskDescription: "task 1",
      status: "success",
      result: "answer",
      structuredResult: { a: 1 },
      outcome: "succeeded",
      sessionId: "session-1-2",
      durationMs: 10,
      numTurns: 3,
      costUsd: 2,
      model: "opus",
      resultFile: "/out/r.html",
      env: ["TOKEN"],
      attempts: 2,
      leaked: 2,
      truncated: true,
      textLength: 900,
      nextFrom: 6,
      permissionDenials: ["Bash(ls)"],
      remarks: ["first", "second"],
      advice: expect.stringContaining("Bash"),
    });
  });

  test("has no more than is known", () => {
    const state = after(
      created(),
      started(2, 1, 1),
      ended(3, 1, 1, { kind: "timed-out", clock: "idle", afterMs: 1 }),
    );
    const { advice, ...entry } = resultEntryOf(state, doneIn(state), {
      door: "tools",
      text: "what",
      cut: false,
    });
    expect(entry).toEqual({
      taskIndex: 1,
      taskDescription: "task 1",
      status: "error",
      error: "what",
      outcome: "timed-out: idle",
      sessionId: "session-1-1",
    });
    expect(advice).toBeString();
  });

  test("has the task's key, if it has one", () => {
    const keyed = after(
      created(2, { batch: { tasks: [{ prompt: "Review a.ts", key: "a.ts" }, { prompt: "Rest" }] } }),
      started(1_001, 1, 1),
      ended(2_001, 1, 1, succeeded),
      started(2_001, 2, 1),
      ended(3_001, 2, 1, succeeded),
    );
    const text = { door: "tools", text: "fine", cut: false } as const;
    expect(resultEntryOf(keyed, doneIn(keyed), text)).toMatchObject({ taskIndex: 1, key: "a.ts" });
    expect(resultEntryOf(keyed, doneIn(keyed, 2), text)).not.toHaveProperty("key");
  });

  test("of a task that never started has no session", () => {
    const state = after(created(), ended(3, 1, 0, { kind: "not-started", message: "gone" }));
    expect(
      resultEntryOf(state, doneIn(state), { door: "tools", text: "gone", cut: false }),
    ).not.toHaveProperty("sessionId");
  });

  test.each([
    [succeeded, "succeeded"],
    [{ kind: "failed", reason: "max-turns", message: "" }, "failed: max-turns"],
    [{ kind: "timed-out", clock: "wall", afterMs: 1 }, "timed-out: wall"],
    [{ kind: "cancelled", by: "budget" }, "cancelled: budget"],
    [{ kind: "crashed", stderrTail: "" }, "crashed"],
    [{ kind: "not-started", message: "" }, "not-started"],
  ] as const)("calls %o %j", (outcome, word) => {
    const state = after(created(), started(2, 1, 1), ended(3, 1, 1, outcome));
    expect(outcomeWord(doneIn(state))).toBe(word);
  });

  test("has the remark of its answer before those of its session", () => {
    const task = { status: "done" as const, number: 1, attempts: [], endedAt: 1 };
    const remarked = { ...succeeded, remark: "a" };
    expect(remarksOf({ ...task, outcome: succeeded }, "tools")).toEqual([]);
    expect(remarksOf({ ...task, outcome: succeeded, remarks: ["b"] }, "tools")).toEqual(["b"]);
    expect(remarksOf({ ...task, outcome: remarked }, "tools")).toEqual(["a"]);
    expect(remarksOf({ ...task, outcome: remarked, remarks: ["b"] }, "tools")).toEqual(["a", "b"]);
  });

  test("has remarks whose options have the names of their reader, and what is no option keeps its own", () => {
    const task = { status: "done" as const, number: 1, attempts: [], endedAt: 1, outcome: succeeded };
    const remarks = ["Set `backgroundWaitSeconds`, not `somethingElse` or `npm run x`."];
    expect(remarksOf({ ...task, remarks }, "tools")).toEqual(remarks);
    expect(remarksOf({ ...task, remarks }, "command-line")).toEqual([
      "Set `--background-wait-seconds`, not `somethingElse` or `npm run x`.",
    ]);
  });
});

describe("the counts in words", () => {
  const crashed: Outcome = { kind: "crashed", stderrTail: "" };
  const cancelled: Outcome = { kind: "cancelled", by: "user" };
  const failed = (path: string) => event(9, { type: "file-failed", path, message: "full" });

  test.each([
    [1, [succeeded], "The task ended: 1 succeeded."],
    [3, [succeeded, crashed, cancelled], "All 3 tasks ended: 1 succeeded, 1 failed, 1 cancelled."],
    [3, [crashed], "1 of 3 tasks has ended: 0 succeeded, 1 failed."],
    [2, [], "None of the 2 tasks has ended."],
  ])("of %d tasks after %o", (total, outcomes, text) => {
    const events = outcomes.flatMap((outcome, index) => [
      started(2, index + 1, 1),
      ended(3, index + 1, 1, outcome),
    ]);
    expect(countsText(after(created(total), ...events))).toBe(text);
  });

  test("name the first file that could not be written, and how many", () => {
    const said = (...paths: string[]) =>
      statusText(after(created(2), ...paths.map(failed)), "running", { door: "tools" });
    expect(said("/a")).toBe(
      "None of the 2 tasks has ended. 1 file could not be written: /a: full. It is still running; ask again later.",
    );
    expect(said("/a", "/b")).toContain(" 2 files could not be written: /a: full.");
  });
});
