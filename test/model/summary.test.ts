// Which sessions a summary needs next: a function of the state alone.
import { expect, test } from "bun:test";
import type { Batch, EventBody } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { apply, type BatchState, stateFrom } from "../../src/model/state.ts";
import {
  listedTasks,
  type NextSummary,
  nextSummary,
  readBySummary,
  summaryOf,
  summaryToCome,
} from "../../src/model/summary.ts";
import { batchOf } from "../store/samples.ts";

const good = (length: number): Outcome => ({ kind: "succeeded", length, offset: 0 });
const bad: Outcome = { kind: "failed", reason: "max-turns", message: "" };

const means = { folder: "/answers", isThere: () => true };

/** Adds events to a state, each a millisecond after the one before. */
function then(state: BatchState, ...events: EventBody[]): BatchState {
  for (const event of events) apply(state, { ...event, at: state.changedAt + 1, epoch: 1 });
  return state;
}

function ended(task: number, outcome: Outcome): EventBody {
  return { type: "attempt-ended", task, attempt: 0, outcome };
}

/** A batch with a summary, whose tasks have ended like this. */
function endedBatch(outcomes: Outcome[], more: Partial<Batch> = {}): BatchState {
  const founding = batchOf(outcomes.length);
  const batch = { ...founding.batch, summarize: { text: "Sum it up" }, ...more };
  const state = stateFrom({ ...founding, batch, at: 1, epoch: 0 });
  return then(state, ...outcomes.map((outcome, index) => ended(index + 1, outcome)));
}

/** A session of the summary from start to end. */
function summarized(state: BatchState, task: number, outcome: Outcome = good(100)): BatchState {
  const attempt = (state.tasks[task - 1]?.attempts.length ?? 0) + 1;
  const identity = { boot: "b", namespace: "", pid: 1, startTicks: "1" };
  const session = { identity, sessionId: "s", transcript: "/t" };
  return then(
    state,
    { type: "attempt-started", task, attempt, ...session },
    { type: "attempt-ended", task, attempt, outcome },
  );
}

function added(state: BatchState): BatchState {
  const next = nextSummary(state, means);
  if (next?.kind !== "add") throw new Error(`nothing is added: ${JSON.stringify(next)}`);
  return then(state, { type: "tasks-added", tasks: next.tasks });
}

const ranges = (next: NextSummary | undefined) =>
  next?.kind === "add"
    ? next.tasks.map(({ summary }) => [summary?.first, summary?.last, summary?.isWhole])
    : next;

test("few results are read by one session, which is a task behind the others", () => {
  const state = endedBatch([good(10), bad, good(10)]);
  expect(nextSummary(state, means)).toEqual({
    kind: "add",
    tasks: [
      {
        prompt: "Sum it up",
        key: "summary",
        options: { workingDirectory: "/answers", name: "Summary" },
        summary: { round: 1, level: 1, first: 1, last: 3, isWhole: true },
      },
    ],
  });
  summarized(added(state), 4);
  expect(state.counts).toMatchObject({ queued: 0, succeeded: 3, failed: 1 });
  expect(nextSummary(state, means)).toBeUndefined();
  expect(summaryOf(state)?.number).toBe(4);
  expect(listedTasks(state).map(({ number }) => number)).toEqual([1, 2, 3]);
});

test("many results, or long ones, are read in groups, and groups of groups where those are many", () => {
  const state = endedBatch(Array.from({ length: 1_100 }, () => good(10)));
  added(state);
  const groups = state.batch.tasks.slice(1_100);
  expect(groups).toHaveLength(44);
  expect(groups[0]).toMatchObject({ key: "summary-1", summary: { level: 1, first: 1, last: 25 } });
  expect(groups[43]).toMatchObject({ key: "summary-44", summary: { first: 1_076, last: 1_100 } });
  for (let task = 1_101; task <= 1_144; task++) summarized(state, task);
  expect(ranges(nextSummary(state, means))).toEqual([
    [1_101, 1_125, undefined],
    [1_126, 1_144, undefined],
  ]);
  added(state);
  for (const task of [1_145, 1_146]) summarized(state, task);
  expect(ranges(nextSummary(state, means))).toEqual([[1_145, 1_146, true]]);
  // 100,000 tokens are much for one session.
  expect(ranges(nextSummary(endedBatch([good(300_000), good(300_000), bad]), means))).toEqual([
    [1, 1, undefined],
    [2, 3, undefined],
  ]);
});

test("the caller may say how many results one session reads", () => {
  const state = endedBatch([bad, good(1), good(1), bad, good(1), good(1), good(1)], {
    summarize: { text: "x", groups: 2, model: "opus" },
  });
  // Tasks without a result cost nothing to read.
  expect(ranges(nextSummary(state, means))).toEqual([
    [1, 4, undefined],
    [5, 6, undefined],
    [7, 7, undefined],
  ]);
  added(state);
  expect(state.batch.tasks[7]?.options).toEqual({
    workingDirectory: "/answers",
    model: "opus",
    name: "Summary of tasks 1 to 4",
  });
  for (const task of [8, 9, 10]) summarized(state, task);
  expect(ranges(nextSummary(state, means))).toEqual([
    [8, 9, undefined],
    [10, 10, undefined],
  ]);
});

test("what a group that failed would have read is read by the next session itself", () => {
  const state = added(endedBatch([good(1), bad, good(1)], { summarize: { text: "x", groups: 2 } }));
  // Two results fit into one session; three do not.
  expect(state.batch.tasks).toHaveLength(4);
  const grouped = added(
    endedBatch([good(1), good(1), good(1), bad], { summarize: { text: "x", groups: 2 } }),
  );
  summarized(grouped, 5, bad);
  summarized(grouped, 6);
  added(grouped);
  expect(grouped.batch.tasks[6]?.summary).toMatchObject({ first: 5, last: 6, isWhole: true });
  expect(readBySummary(grouped, 7)).toEqual([1, 2, 6]);
});

test("a summary is written again when what it read has changed, group by group", () => {
  const state = added(endedBatch([good(1), good(1), bad, good(1)], { summarize: { text: "x", groups: 2 } }));
  summarized(state, 5);
  summarized(state, 6);
  summarized(added(state), 7);
  expect(nextSummary(state, means)).toBeUndefined();
  then(state, { type: "retry-requested", tasks: [3] }, ended(3, good(1)));
  expect(nextSummary(state, means)).toEqual({ kind: "again", tasks: [5] });
  then(state, { type: "retry-requested", tasks: [], succeeded: [5] });
  summarized(state, 5);
  expect(nextSummary(state, means)).toEqual({ kind: "again", tasks: [7] });
});

test("none is written of a batch that was stopped, or where nothing succeeded, unless somebody asks for it then", () => {
  const founding = batchOf(2);
  const batch = { ...founding.batch, summarize: { text: "x" } };
  const created = () => stateFrom({ ...founding, batch, at: 1, epoch: 0 });
  expect(nextSummary(endedBatch([bad, bad]), means)).toBeUndefined();
  for (const by of ["user", "budget", "failure-mode"] as const) {
    const state = then(created(), ended(1, good(1)), {
      type: "cancel-requested",
      by,
      ...(by === "user" ? {} : { tasks: [2] }),
    });
    expect(nextSummary(state, means)).toBeUndefined();
    then(state, { type: "batch-ended" }, { type: "summary-requested", text: "What is there?" });
    expect([state.endedAt, state.cancelledBy]).toEqual([undefined, undefined]);
    expect(nextSummary(state, means)).toMatchObject({
      kind: "add",
      tasks: [{ prompt: "What is there?", key: "summary.2", summary: { round: 2, first: 1, last: 2 } }],
    });
  }
  // One task that somebody cancelled is no reason.
  const single = then(created(), ended(1, good(1)), { type: "cancel-requested", by: "user", tasks: [2] });
  expect(nextSummary(single, means)).toMatchObject({ kind: "add" });
});

test("one that somebody asks for is written also where none was wanted at first, and the batch was stopped", () => {
  const state = then(
    endedBatch([good(1), good(1)], { summarize: undefined }),
    { type: "retry-requested", tasks: [], succeeded: [2] },
    { type: "cancel-requested", by: "budget", tasks: [2] },
    { type: "batch-ended" },
    { type: "summary-requested", text: "What is there?" },
  );
  expect(nextSummary(state, means)).toMatchObject({ kind: "add", tasks: [{ key: "summary" }] });
});

test("how many sessions a summary takes is known before the first task has ended", () => {
  const sizes: [tasks: number, length: number, groups?: number][] = [
    [1, 10],
    [40, 10_000],
    [41, 10],
    [30, 20_000],
    [1, 900_000],
    [3, 300_000],
    [700, 10],
    [9, 10, 2],
    [200, 30_000, 7],
  ];
  for (const [tasks, length, groups] of sizes) {
    const summarize = { text: "x", ...(groups === undefined ? {} : { groups }) };
    const state = endedBatch(
      Array.from({ length: tasks }, () => good(length)),
      { summarize },
    );
    const { sessions, steps } = summaryToCome(state);
    let left = sessions;
    let step = 0;
    for (; nextSummary(state, means); step++) {
      const before = state.tasks.length;
      added(state);
      expect({ tasks, left: summaryToCome(state).sessions }).toEqual({
        tasks,
        left: left - (state.tasks.length - before),
      });
      for (let number = before + 1; number <= state.tasks.length; number++) summarized(state, number);
      left = summaryToCome(state).sessions;
    }
    expect({ tasks, length, sessions, steps }).toEqual({
      tasks,
      length,
      sessions: state.tasks.length - tasks,
      steps: step,
    });
  }
  const open = then(endedBatch([good(1), good(1)]), {
    type: "retry-requested",
    tasks: [],
    succeeded: [1, 2],
  });
  expect(summaryToCome(open)).toEqual({ sessions: 1, steps: 1 });
  expect(summaryToCome(then(open, { type: "cancel-requested", by: "user" }))).toEqual({
    sessions: 0,
    steps: 0,
  });
});

test("a summary that will be written again counts as one to come", () => {
  const state = endedBatch(
    Array.from({ length: 6 }, () => good(10)),
    { summarize: { text: "x", groups: 3 } },
  );
  added(state);
  summarized(summarized(state, 7), 8);
  summarized(added(state), 9);
  expect(summaryToCome(state).sessions).toBe(0);
  then(state, { type: "batch-ended" }, { type: "retry-requested", tasks: [], succeeded: [2] });
  expect(summaryToCome(state)).toEqual({ sessions: 2, steps: 2 });
});

test("a summary whose conversation was cut off before a result changed is written again", () => {
  const state = added(endedBatch([good(1), good(1)]));
  const session = {
    identity: { boot: "b", namespace: "", pid: 1, startTicks: "1" },
    sessionId: "s",
    transcript: "/t",
  };
  then(
    state,
    { type: "attempt-started", task: 3, attempt: 1, ...session },
    { type: "attempt-ended", task: 3, attempt: 1, outcome: { kind: "evicted" }, resumable: true, retryAt: 0 },
    { type: "retry-requested", tasks: [], succeeded: [1] },
    ended(1, good(2)),
    { type: "attempt-started", task: 3, attempt: 2, ...session, resumes: true },
    { type: "attempt-ended", task: 3, attempt: 2, outcome: good(9) },
  );
  expect(nextSummary(state, means)).toEqual({ kind: "again", tasks: [3] });
});

test("a summary that cannot be read any more is written again", () => {
  const state = summarized(added(endedBatch([good(1), good(1)])), 3);
  expect(nextSummary(state, means)).toBeUndefined();
  expect(nextSummary(state, { ...means, isThere: ({ number }) => number !== 3 })).toEqual({
    kind: "again",
    tasks: [3],
  });
});

test("a second summary reads the results and not the first one, and the newest counts", () => {
  const state = summarized(added(endedBatch([good(1), good(1)])), 3);
  then(state, { type: "batch-ended" }, { type: "summary-requested", text: "In French" });
  added(state);
  expect(state.batch.tasks[3]).toMatchObject({
    prompt: "In French",
    summary: { round: 2, first: 1, last: 2 },
  });
  expect(summaryOf(state)?.number).toBe(3);
  summarized(state, 4);
  expect(summaryOf(state)?.number).toBe(4);
});

test("a file that is called summary keeps its key", () => {
  const founding = batchOf(1);
  const tasks = [{ prompt: "x", key: "summary" }];
  const state = stateFrom({
    ...founding,
    batch: { ...founding.batch, tasks, summarize: { text: "x" } },
    at: 1,
    epoch: 0,
  });
  then(state, ended(1, good(1)));
  expect(nextSummary(state, means)).toMatchObject({ tasks: [{ key: "summary+" }] });
});
