// What is believed of a batch after its events: every field, in every state.
import { describe, expect, test } from "bun:test";
import type { Outcome } from "../../src/model/outcome.ts";
import { fleetJobOf } from "../../src/model/session-ref.ts";
import {
  apply,
  attemptsSinceAsked,
  type BatchState,
  canRetry,
  doneCount,
  fold,
  isTakenOver,
  machineOfAttempt,
  stateFrom,
  taskOf,
} from "../../src/model/state.ts";
import { optionsOf } from "../../src/model/task-options.ts";
import { after, crashed, created, ended, event, identity, started, succeeded, usageOf } from "./events.ts";

const other = { ...identity, pid: 2 };

describe("the beginning", () => {
  test("all tasks are queued, and nothing is spent", () => {
    const first = created(2);
    if (first.type !== "batch-created") throw new Error("another event");
    expect(stateFrom(first)).toEqual({
      batch: first.batch,
      account: { hash: "h", environment: {} },
      createdAt: 1,
      changedAt: 1,
      epoch: 0,
      outputDirectory: "/out",
      spendLimits: {},
      tasks: [
        { number: 1, attempts: [], status: "queued" },
        { number: 2, attempts: [], status: "queued" },
      ],
      counts: { queued: 2, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
      totalCostUsd: 0,
      spending: { byModel: new Map(), bySource: new Map(), ascending: [] },
      costAtLeast: false,
      unknownCosts: [],
      earlierEnds: new Map(),
      optionChanges: [],
      fileFailures: new Map(),
    });
  });

  test("has its leash and its budget where they were given", () => {
    expect(after(created(1, { leash: identity, batch: { budgetUsd: 3 } }))).toMatchObject({
      leash: identity,
      budgetUsd: 3,
    });
  });

  test("of an empty log there is none, and another first event is an error of ours", () => {
    expect(fold([])).toBeUndefined();
    expect(() => fold([event(1, { type: "batch-ended" })])).toThrow(
      "Internal error: a log begins with batch-ended",
    );
    expect(() => apply(after(created()), created())).toThrow("Internal error: a batch was created twice");
  });

  test("a task that is not there is an error of ours", () => {
    expect(() => taskOf(after(created(2)), 3)).toThrow("Internal error: batch bcdfghjk has no task 3");
    expect(taskOf(after(created(2)), 2).number).toBe(2);
  });
});

test("a runner brings its turn along, and every event the time of the last change", () => {
  const state = after(created(), event(5, { type: "runner-started", identity: other }, 7));
  expect(state).toMatchObject({ runner: other, epoch: 7, changedAt: 5, createdAt: 1 });
});

test("a log that was copied says since when", () => {
  const taken = (more: object) => event(7, { type: "runner-started", identity, ...more }, 2);
  expect(after(created(), taken({ copied: true })).copiedAt).toBe(7);
  expect(after(created(), taken({}))).not.toHaveProperty("copiedAt");
});

test("a batch that is handed over has no leash, and writes elsewhere where that is said", () => {
  const leashed = created(1, { leash: identity });
  const released = after(leashed, event(2, { type: "leash-released" }));
  expect(released).not.toHaveProperty("leash");
  expect(released.outputDirectory).toBe("/out");
  const moved = event(2, { type: "leash-released", outputDirectory: "/desktop" });
  expect(after(leashed, moved).outputDirectory).toBe("/desktop");
});

describe("a task", () => {
  test("runs from its attempt on", () => {
    const state = after(created(2), started(2, 2, 1, { resumes: true, anewBecause: "why" }));
    expect(state.tasks[1]).toEqual({
      number: 2,
      status: "running",
      startedAt: 2,
      attempts: [
        {
          number: 1,
          identity,
          sessionId: "session-2-1",
          transcript: "/t",
          resumes: true,
          startedAt: 2,
          anewBecause: "why",
        },
      ],
    });
    expect(state.counts).toEqual({ queued: 1, running: 1, succeeded: 0, failed: 0, cancelled: 0 });
  });

  test("begins its own conversation, unless it is said otherwise", () => {
    const costBefore = { costUsd: 1, models: {} };
    const [attempt] = after(created(), started(2, 1, 1, { costBefore })).tasks[0]?.attempts ?? [];
    expect(attempt).toMatchObject({ resumes: false, costBefore });
    expect(attempt).not.toHaveProperty("anewBecause");
  });

  test("that has ended knows how, since when, and what was said of it", () => {
    const end = {
      usage: usageOf(2),
      model: "opus",
      leaked: [other],
      remarks: ["odd"],
      sessionId: "of Claude",
      resumable: true,
      unsaved: true,
    };
    const state = after(created(), started(2, 1, 1), ended(5, 1, 1, succeeded, end));
    expect(state.tasks[0]).toEqual({
      number: 1,
      status: "done",
      startedAt: 2,
      endedAt: 5,
      outcome: succeeded,
      usage: usageOf(2),
      model: "opus",
      leaked: [other],
      remarks: ["odd"],
      attempts: [
        {
          number: 1,
          identity,
          sessionId: "of Claude",
          transcript: "/t",
          resumes: false,
          startedAt: 2,
          endedAt: 5,
          outcome: succeeded,
          usage: usageOf(2),
          resumable: true,
          unsaved: true,
        },
      ],
    });
  });

  test("that has ended without more to say has no more to say", () => {
    const [task] = after(created(), started(2, 1, 1), ended(5, 1, 1, crashed)).tasks;
    expect(task).toEqual({
      number: 1,
      status: "done",
      startedAt: 2,
      endedAt: 5,
      outcome: crashed,
      attempts: [
        {
          number: 1,
          identity,
          sessionId: "session-1-1",
          transcript: "/t",
          resumes: false,
          startedAt: 2,
          endedAt: 5,
          outcome: crashed,
        },
      ],
    });
  });

  test("that never started has neither a start nor an attempt", () => {
    const outcome = { kind: "not-started" as const, message: "gone" };
    const state = after(created(), ended(5, 1, 0, outcome));
    expect(state.tasks).toEqual([{ number: 1, status: "done", endedAt: 5, outcome, attempts: [] }]);
    expect(state.counts.failed).toBe(1);
  });

  test("whose next attempt cannot start leaves the one before as it was", () => {
    const outcome = { kind: "not-started" as const, message: "gone" };
    const first = ended(3, 1, 1, crashed, { retryAt: 4 });
    const [task] = after(created(), started(2, 1, 1), first, ended(9, 1, 0, outcome)).tasks;
    expect(task).toMatchObject({ outcome, endedAt: 9, attempts: [{ endedAt: 3, outcome: crashed }] });
  });

  test("that is tried again waits until then", () => {
    const state = after(created(), started(2, 1, 1), ended(3, 1, 1, crashed, { retryAt: 50 }));
    expect(state.tasks[0]).toMatchObject({ status: "queued", notBefore: 50 });
    expect(state.counts).toMatchObject({ queued: 1, running: 0, failed: 0 });
  });

  test.each([
    ["", { kind: "evicted", interimOffsets: [7] }],
    [" in an older log", { kind: "cancelled", by: "memory", interimOffsets: [7] }],
  ])("whose session is evicted%s goes on, unless somebody cancels it", (_, outcome) => {
    const end = (at: number) =>
      event(at, { type: "attempt-ended", task: 1, attempt: 1, outcome, retryAt: 9 });
    expect(after(created(), started(2, 1, 1), end(3)).tasks[0]).toMatchObject({
      status: "queued",
      notBefore: 9,
      attempts: [{ outcome: { kind: "evicted", interimOffsets: [7] } }],
    });
    const cancel = event(3, { type: "cancel-requested", by: "leash" });
    const { tasks, counts } = after(created(), started(2, 1, 1), cancel, end(4));
    expect(tasks[0]).toMatchObject({
      outcome: { kind: "cancelled", by: "leash", interimOffsets: [7] },
      attempts: [{ outcome: { kind: "evicted" } }],
    });
    expect(counts).toMatchObject({ queued: 0, cancelled: 1 });
  });

  test.each([
    ["succeeded", succeeded],
    ["failed", { kind: "failed", reason: "server-error", message: "" }],
    ["failed", crashed],
    ["failed", { kind: "timed-out", clock: "wall", afterMs: 1 }],
    ["failed", { kind: "not-started", message: "" }],
    ["cancelled", { kind: "cancelled", by: "user" }],
  ] as const)("counts as %s after %o", (count, outcome) => {
    const { counts } = after(created(), started(2, 1, 1), ended(3, 1, 1, outcome));
    expect(counts).toEqual({ queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, [count]: 1 });
    expect(doneCount(counts)).toBe(1);
  });
});

describe("what is spent", () => {
  const tokens = { input: 1, output: 2, cacheRead: 3, cacheWritten: 4, costUsd: 1 };

  test("adds up over attempts and tasks, by model and by credential", () => {
    const usage = usageOf(1, { models: { opus: tokens }, apiKeySource: "none" });
    const state = after(
      created(2),
      started(2, 1, 1),
      ended(3, 1, 1, crashed, { usage, retryAt: 4 }),
      started(5, 1, 2),
      ended(6, 1, 2, succeeded, { usage }),
      started(7, 2, 1),
      ended(8, 2, 1, succeeded, { usage: usageOf(4, { models: { haiku: tokens }, apiKeySource: "key" }) }),
    );
    expect(state.totalCostUsd).toBe(6);
    expect(Object.fromEntries(state.spending.byModel)).toEqual({
      opus: { input: 2, output: 4, cacheRead: 6, cacheWritten: 8, costUsd: 2 },
      haiku: tokens,
    });
    expect(Object.fromEntries(state.spending.bySource)).toEqual({ none: 2, key: 4 });
    expect(state).toMatchObject({ costAtLeast: false, unknownCosts: [] });
  });

  test("is kept in ascending order, without what cost nothing", () => {
    const costs = [3, 0, 1, 2, 2];
    const events = costs.flatMap((cost, index) => [
      started(2, index + 1, 1),
      ended(3, index + 1, 1, succeeded, { usage: usageOf(cost, { apiKeySource: "none" }) }),
    ]);
    const { spending } = after(created(5), ...events);
    expect(spending.ascending).toEqual([1, 2, 2, 3]);
    expect(spending.bySource.get("none")).toBe(8);
  });

  test("by a session that was cut off is known to be more", () => {
    const usage = usageOf(2, { atLeast: true, apiKeySource: "none" });
    const state = after(created(), started(2, 1, 1), ended(3, 1, 1, crashed, { usage }));
    expect(state).toMatchObject({ totalCostUsd: 2, costAtLeast: true, unknownCosts: [2] });
    expect(state.spending.ascending).toEqual([]);
    expect(state.spending.bySource.get("none")).toBe(2);
  });

  test("is nothing where a session said nothing", () => {
    const state = after(created(), started(2, 1, 1), ended(3, 1, 1, crashed));
    expect(state).toMatchObject({ totalCostUsd: 0, costAtLeast: false });
  });
});

describe("a cancellation", () => {
  const cancel = (at: number, by: string, tasks?: number[]) =>
    event(at, { type: "cancel-requested", by, ...(tasks ? { tasks } : {}) });

  test("ends what is queued at once, and marks what runs", () => {
    const state = after(created(2), started(2, 1, 1), cancel(3, "user"));
    expect(state.tasks[0]).toMatchObject({ status: "running", cancelling: "user" });
    expect(state.tasks[1]).toEqual({
      number: 2,
      status: "done",
      endedAt: 3,
      outcome: { kind: "cancelled", by: "user" },
      attempts: [],
    });
    expect(state).toMatchObject({ cancelledBy: "user", counts: { running: 1, cancelled: 1, queued: 0 } });
  });

  test("of some tasks is not one of the batch", () => {
    const state = after(created(3), cancel(2, "user", [2]));
    expect(state.tasks.map(({ status }) => status)).toEqual(["queued", "done", "queued"]);
    expect(state).not.toHaveProperty("cancelledBy");
  });

  test("is by whoever asked first", () => {
    const state = after(created(1), started(2, 1, 1), cancel(3, "user"), cancel(4, "client"));
    expect(state.cancelledBy).toBe("user");
    expect(state.tasks[0]).toMatchObject({ cancelling: "user" });
  });

  test("of a task that runs keeps it from being tried again", () => {
    const end = ended(4, 1, 1, crashed, { retryAt: 9 });
    expect(after(created(), started(2, 1, 1), cancel(3, "user"), end).tasks[0]).toMatchObject({
      status: "done",
      outcome: crashed,
    });
  });

  test("changes nothing of what has ended", () => {
    const end = ended(3, 1, 1, succeeded);
    expect(after(created(), started(2, 1, 1), end, cancel(4, "user")).tasks[0]).toMatchObject({
      outcome: succeeded,
      endedAt: 3,
    });
  });
});

describe("a request to run tasks again", () => {
  const again = (tasks: number[], more = {}) => event(9, { type: "retry-requested", tasks, ...more });
  const end = [started(2, 1, 1), ended(3, 1, 1, crashed), event(4, { type: "batch-ended" })];

  test("queues them, and the batch goes on for nobody in particular", () => {
    const cancelled = event(2, { type: "cancel-requested", by: "user", tasks: [2] });
    const all = event(4, { type: "cancel-requested", by: "user" });
    const state = after(created(2, { leash: identity }), cancelled, ...end, all, again([1, 2]));
    expect(state.counts).toMatchObject({ queued: 2, failed: 0, cancelled: 0 });
    for (const gone of ["endedAt", "cancelledBy", "leash"]) expect(state).not.toHaveProperty(gone);
    expect(state.tasks[0]).toEqual({
      number: 1,
      status: "queued",
      attempts: [expect.objectContaining({ number: 1, outcome: crashed })],
    });
    expect(Object.fromEntries(state.earlierEnds)).toEqual({ 1: [3], 2: [2] });
  });

  test("keeps the ends of every time", () => {
    const twice = [started(10, 1, 2), ended(11, 1, 2, crashed), again([1])];
    expect(after(created(), ...end, again([1]), ...twice).earlierEnds.get(1)).toEqual([3, 11]);
  });

  test("for no task changes the budget alone", () => {
    const state = after(created(), ...end, again([], { budgetUsd: 5 }));
    expect(state).toMatchObject({ endedAt: 4, budgetUsd: 5 });
    expect(after(created(1, { batch: { budgetUsd: 2 } }), ...end, again([1])).budgetUsd).toBe(2);
  });

  test("does nothing to a task that runs", () => {
    expect(after(created(), started(2, 1, 1), again([1])).tasks[0]).toMatchObject({ status: "running" });
  });

  test("divides its attempts into those before and since", () => {
    const state = after(created(2), ...end, again([1]), started(10, 1, 2), started(11, 2, 1));
    expect(attemptsSinceAsked(state, 1).map(({ number }) => number)).toEqual([2]);
    expect(attemptsSinceAsked(state, 2).map(({ number }) => number)).toEqual([1]);
    expect(attemptsSinceAsked(state, 3)).toEqual([]);
  });

  test("can be made of what has ended without success", () => {
    const [task] = after(created(), ...end).tasks;
    expect(task && canRetry(task)).toBe(true);
    for (const events of [[], [started(2, 1, 1)], [started(2, 1, 1), ended(3, 1, 1, succeeded)]]) {
      const [one] = after(created(), ...events).tasks;
      expect(one && canRetry(one)).toBe(false);
    }
  });
});

test("a file that could not be written is remembered with the reason", () => {
  const failed = event(2, { type: "file-failed", path: "/a", message: "full" });
  expect(Object.fromEntries(after(created(), failed).fileFailures)).toEqual({ "/a": "full" });
});

describe("options that come with a retry", () => {
  const failed = { kind: "failed", reason: "max-turns", message: "" } as const;
  const attempt = (task: number, outcome: Outcome) =>
    [
      event(2, {
        type: "attempt-started",
        task,
        attempt: 1,
        identity,
        sessionId: `s-${task}`,
        transcript: `/t/${task}`,
      }),
      event(3, { type: "attempt-ended", task, attempt: 1, outcome, resumable: true }),
    ] as const;
  const both = [
    created(2, { batch: { tasks: [{ prompt: "a", options: { model: "opus" } }, { prompt: "b" }] } }),
    ...attempt(1, failed),
    ...attempt(2, { kind: "succeeded", length: 1, offset: 0 }),
  ];
  const retry = (more: object) => event(9, { type: "retry-requested", tasks: [1], ...more });
  const resumable = (state: BatchState) => state.tasks.map(({ attempts }) => attempts[0]?.resumable);

  test("become those of the tasks that they are for, and are listed", () => {
    const state = after(...both, retry({ options: { maxTurns: 9 }, changed: [1] }));
    expect(state.batch.tasks).toEqual([
      { prompt: "a", options: { model: "opus", maxTurns: 9 } },
      { prompt: "b" },
    ]);
    expect(optionsOf(state.batch, 1)).toMatchObject({ model: "opus", maxTurns: 9 });
    expect(optionsOf(state.batch, 2).maxTurns).toBeUndefined();
    expect(state.optionChanges).toEqual([{ at: 9, tasks: [1], options: { maxTurns: 9 } }]);
    expect(state.counts).toMatchObject({ queued: 1, succeeded: 1 });
    expect(resumable(state)).toEqual([true, true]);
  });

  test("of a success that is named have it start over; without them it is kept", () => {
    const state = after(...both, retry({ succeeded: [2], options: { maxTurns: 9 }, changed: [1, 2] }));
    expect(state.counts).toMatchObject({ queued: 2, succeeded: 0 });
    expect(resumable(state)).toEqual([true, undefined]);
    expect(after(...both, event(9, { type: "retry-requested", tasks: [1, 2] })).counts).toMatchObject({
      queued: 1,
      succeeded: 1,
    });
  });

  test.each([{ workingDirectory: "/x" }, { resumeSessionId: "s" }, { forkSession: true }])(
    "that speak of another conversation or directory end the one before: %p",
    (options) => {
      expect(resumable(after(...both, retry({ options, changed: [1] })))).toEqual([undefined, true]);
    },
  );

  test("without a task that they are for change none, and are not listed", () => {
    for (const more of [
      { options: { maxTurns: 9 } },
      { options: { maxTurns: 9 }, changed: [] },
      { changed: [1] },
    ]) {
      const state = after(...both, retry(more));
      expect(state.batch.tasks[0]).toEqual({ prompt: "a", options: { model: "opus" } });
      expect(state.optionChanges).toEqual([]);
    }
  });

  test("are parsed once for all who ask, for a batch and for each task that has its own", () => {
    const { batch } = after(...both);
    expect(optionsOf(batch, 1)).toBe(optionsOf(batch, 1));
    expect(optionsOf(batch, 2)).toBe(optionsOf(batch, 2));
    expect(optionsOf(batch, 2)).not.toBe(optionsOf(batch, 1));
  });

  test("may add a text to prompts, which stays there, and ends no conversation", () => {
    const first = retry({ appendPrompt: "Be brief.", changed: [1] });
    const second = retry({ options: { maxTurns: 9 }, appendPrompt: "In English.", changed: [1] });
    const state = after(...both, first, second);
    expect(state.batch.tasks).toEqual([
      { prompt: "a\n\nBe brief.\n\nIn English.", options: { model: "opus", maxTurns: 9 }, appended: 24 },
      { prompt: "b" },
    ]);
    expect(state.optionChanges).toEqual([
      { at: 9, tasks: [1], options: { appendPrompt: "Be brief." } },
      { at: 9, tasks: [1], options: { maxTurns: 9, appendPrompt: "In English." } },
    ]);
    expect(resumable(state)).toEqual([true, true]);
  });

  test("part equal tasks into those that get them and those that do not", () => {
    const equal = { prompt: "a", sameAs: 1 };
    const of = (...changed: number[]) =>
      after(
        created(3, { batch: { tasks: [{ prompt: "a" }, equal, equal] } }),
        retry({ appendPrompt: "x", changed }),
      ).batch.tasks.map(({ sameAs }) => sameAs);
    expect(of(1, 2, 3)).toEqual([undefined, 1, 1]);
    expect(of(2)).toEqual([undefined, undefined, 1]);
    expect(of(1)).toEqual([undefined, undefined, 2]);
    expect(of(2, 3)).toEqual([undefined, undefined, 2]);
  });

  test("of the batch hold from then on", () => {
    const state = after(...both, retry({ concurrency: 3, failureMode: "no-new" }));
    expect(state.batch).toMatchObject({ concurrency: 3, failureMode: "no-new" });
    const { batch } = after(...both, retry({ concurrency: 4 }));
    expect(batch).toMatchObject({ concurrency: 4, failureMode: "continue" });
    expect(after(...both, retry({ failureMode: "cancel" })).batch).toMatchObject({
      concurrency: 1,
      failureMode: "cancel",
    });
  });
});

test("who asked last for the end of tasks is remembered", () => {
  const cancel = (at: number, more: object) => event(at, { type: "cancel-requested", by: "user", ...more });
  expect(after(created(2), cancel(2, { tasks: [1] }), cancel(3, { by: "budget", tasks: [2] }))).toMatchObject(
    {
      lastCancelledBy: "budget",
    },
  );
});

describe("an attempt in a process that has run others", () => {
  test("has the part of the transcript that its events say, and one of an older log has all of it", () => {
    const state = after(
      created(2),
      started(2, 1, 1),
      ended(3, 1, 1, succeeded, { transcriptEnd: 10 }),
      started(4, 2, 1, { offset: 14 }),
    );
    expect(taskOf(state, 1).attempts).toMatchObject([{ transcript: "/t", transcriptEnd: 10 }]);
    expect(taskOf(state, 1).attempts[0]).not.toHaveProperty("offset");
    expect(taskOf(state, 2).attempts).toMatchObject([{ transcript: "/t", offset: 14 }]);
    const older = after(created(1), started(2, 1, 1), ended(3, 1, 1, succeeded));
    expect(taskOf(older, 1).attempts[0]).not.toHaveProperty("transcriptEnd");
  });

  test("gives its part to an equal task, with its answer", () => {
    const outcome: Outcome = {
      kind: "succeeded",
      length: 1,
      offset: 20,
      reused: {
        batchId: "b",
        task: 1,
        at: 3,
        sessionId: "s",
        transcript: "/t",
        offset: 14,
        transcriptEnd: 30,
      },
    };
    const state = after(created(1), ended(4, 1, 0, outcome));
    expect(taskOf(state, 1).attempts).toMatchObject([{ transcript: "/t", offset: 14, transcriptEnd: 30 }]);
  });
});

test("a host may have any name, and its sessions are neither a fleet's nor another task's", () => {
  for (const host of ["reused", "fleet:2222"]) {
    const own = { identity: { host, id: "one" } };
    const [attempt] = taskOf(after(created(), started(2, 1, 1, own)), 1).attempts;
    if (!attempt) throw new Error("There is no attempt");
    expect([machineOfAttempt(attempt), isTakenOver(attempt), fleetJobOf(attempt.identity)]).toEqual([
      host,
      false,
      undefined,
    ]);
  }
  const ofFleet = { identity: { fleet: "team", job: "bcdfghjk-1-1" } };
  const [attempt] = taskOf(after(created(), started(2, 1, 1, ofFleet)), 1).attempts;
  expect(fleetJobOf(attempt?.identity)).toBe("bcdfghjk-1-1");
});
