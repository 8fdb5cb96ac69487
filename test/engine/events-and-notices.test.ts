// What an end means for other tasks, and who is notified of the end of a batch.
import { describe, expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import {
  cancelHeld,
  cancelQueued,
  consequencesOf,
  endedEvent,
  notStarted,
  skippedEvents,
} from "../../src/engine/attempt/attempt-events.ts";
import { factsOf, noticesOf, notifyOf } from "../../src/engine/output/notify.ts";
import type { AttemptOutcome } from "../../src/model/outcome.ts";
import { apply } from "../../src/model/state.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import {
  after,
  crashed,
  created,
  ended,
  event,
  identity,
  started,
  succeeded,
  usageOf,
} from "../model/events.ts";

const minute = 60_000;

describe("what a failure means for the others", () => {
  const failed: AttemptOutcome = { kind: "failed", reason: "execution", message: "" };
  const cancelled: AttemptOutcome = { kind: "cancelled", by: "user" };
  const cases: [failureMode: string, outcome: AttemptOutcome, consequence: object[]][] = [
    ["continue", failed, []],
    ["no-new", failed, [{ type: "cancel-requested", by: "failure-mode", tasks: [3] }]],
    ["cancel", crashed, [{ type: "cancel-requested", by: "failure-mode" }]],
    ["cancel", succeeded, []],
    ["no-new", cancelled, []],
  ];
  for (const [failureMode, outcome, consequence] of cases)
    test(`${outcome.kind} with ${failureMode}`, () => {
      const state = after(created(3, { batch: { failureMode } }), started(2, 1, 1));
      expect<unknown>(consequencesOf(state, outcome, 2)).toEqual(consequence);
    });

  test("in a batch that is cancelled is nothing more", () => {
    const state = after(
      created(2, { batch: { failureMode: "cancel" } }),
      event(2, { type: "cancel-requested", by: "user" }),
    );
    expect(consequencesOf(state, failed, 1)).toEqual([]);
  });

  const ofPercent: [failWhen: string, tasks: number, failuresBefore: number, ends: boolean][] = [
    ["20%", 10, 0, false],
    ["20%", 10, 1, true],
    ["20%", 11, 1, false],
    ["1%", 3, 0, true],
    ["100%", 3, 1, false],
    ["2", 10, 0, false],
    ["2", 10, 1, true],
  ];
  for (const [failWhen, tasks, before, ends] of ofPercent)
    test(`failure ${before + 1} of ${tasks} tasks ${ends ? "ends" : "does not end"} a batch with failWhen ${failWhen}`, () => {
      const earlier = Array.from({ length: before }, (_, index) => [
        started(2, index + 1, 1),
        ended(3, index + 1, 1, crashed),
      ]).flat();
      const state = after(created(tasks, { batch: { failWhen } }), ...earlier, started(4, before + 1, 1));
      expect<unknown>(consequencesOf(state, failed, before + 1)).toEqual(
        ends ? [{ type: "cancel-requested", by: "fail-when" }] : [],
      );
    });

  describe("a failure that others share", () => {
    const stop = [{ type: "cancel-requested", by: "fail-when" }];
    /** Ten tasks, of which the first is about to fail. */
    const running = (tasks: Record<number, object>, more: object = {}) =>
      after(
        created(10, {
          batch: {
            failWhen: "20%",
            tasks: Array.from({ length: 10 }, (_, index) => ({ prompt: "a", ...tasks[index + 1] })),
            ...more,
          },
        }),
        started(2, 1, 1),
      );

    test("counts with equal tasks, and with those that start after it or after these", () => {
      expect(consequencesOf(running({}), failed, 1)).toEqual([]);
      expect<unknown>(consequencesOf(running({ 7: { sameAs: 1 } }), failed, 1)).toEqual(stop);
      expect<unknown>(consequencesOf(running({ 7: { after: [1] } }), failed, 1)).toEqual(stop);
      const chain = running({ 5: { sameAs: 1 }, 7: { after: [5] } }, { failWhen: "3" });
      expect<unknown>(consequencesOf(chain, failed, 1)).toEqual(stop);
      expect(consequencesOf(running({ 5: { sameAs: 1 } }, { failWhen: "3" }), failed, 1)).toEqual([]);
    });

    test("counts once, whichever of them ends first", () => {
      const more = { failWhen: "4" };
      const state = running({ 2: { sameAs: 1 }, 3: { sameAs: 1 }, 4: { after: [3] } }, { failWhen: "5" });
      expect(consequencesOf(state, failed, 1)).toEqual([]);
      apply(state, ended(3, 1, 1, crashed));
      expect(consequencesOf(state, failed, 2)).toEqual([]);
      expect<unknown>(consequencesOf({ ...state, batch: { ...state.batch, ...more } }, failed, 2)).toEqual(
        stop,
      );
    });

    test("leaves nothing to stop if all others share it", () => {
      const equal = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [index + 2, { sameAs: 1 }]));
      expect(consequencesOf(running(equal), failed, 1)).toEqual([]);
    });

    test("does not count those that wait until somebody continues the batch", () => {
      const state = running({ 7: { sameAs: 1 } }, { sample: [1, 2] });
      expect(consequencesOf(state, failed, 1)).toEqual([]);
    });

    test("counts where it only keeps others from starting, because somebody has cancelled it", () => {
      const state = running({ 2: { after: [1] }, 3: { after: [1] } });
      apply(state, event(3, { type: "cancel-requested", by: "user", tasks: [1] }));
      apply(state, ended(4, 1, 1, { kind: "cancelled", by: "user" }));
      const events = skippedEvents(state, [2, 3]);
      expect(events.map(({ type }) => type)).toEqual(["attempt-ended", "attempt-ended", "cancel-requested"]);
    });
  });

  test("a summary counts neither as a task nor as a failure", () => {
    const summary = { round: 1, level: 1, first: 1, last: 2, isWhole: true };
    const state = after(
      created(2, { batch: { failWhen: "50%" } }),
      started(2, 1, 1),
      ended(3, 1, 1, succeeded),
      started(3, 2, 1),
      ended(4, 2, 1, succeeded),
      event(5, {
        type: "tasks-added",
        tasks: [
          { prompt: "x", summary },
          { prompt: "y", summary },
        ],
      }),
      started(6, 3, 1),
    );
    expect(consequencesOf(state, failed, 3)).toEqual([]);
  });

  test("the last failure of all leaves nothing to cancel", () => {
    const state = after(created(1, { batch: { failWhen: "1" } }), started(2, 1, 1));
    expect(consequencesOf(state, failed, 1)).toEqual([]);
  });

  test("enough successes end a batch, of those that match if that is asked for, and once only", () => {
    const enough = [{ type: "cancel-requested", by: "stop-when" }];
    const one = [started(2, 1, 1), ended(3, 1, 1, { ...succeeded, matched: false }), started(4, 2, 1)];
    const any = created(4, { batch: { stopWhen: { found: 2 } } });
    expect<unknown>(consequencesOf(after(any, ...one), succeeded, 2)).toEqual(enough);
    const some = created(4, { batch: { stopWhen: { found: 1, where: { pattern: "x" } } } });
    expect(consequencesOf(after(some, ...one), { ...succeeded, matched: false }, 2)).toEqual([]);
    expect<unknown>(consequencesOf(after(some, ...one), { ...succeeded, matched: true }, 2)).toEqual(enough);
    const stopped = [
      event(5, { type: "cancel-requested", by: "stop-when" }),
      event(6, { type: "retry-requested", tasks: [3, 4] }),
      started(7, 3, 1),
    ];
    expect(consequencesOf(after(any, ...one, ...stopped), succeeded, 3)).toEqual([]);
  });

  test("a hold that is given up ends the tasks that it concerns", () => {
    const tasks = [
      { prompt: "a", options: { model: "opus" } },
      { prompt: "b", options: { model: "haiku" } },
      { prompt: "c", options: { model: "opus" } },
    ];
    const state = after(created(3, { batch: { tasks } }));
    expect<unknown>(cancelHeld(state, { hold: { model: "opus", kind: "auth" } }, 1)).toEqual([
      { type: "cancel-requested", by: "hold", tasks: [3], access: "auth" },
    ]);
    expect<unknown>(cancelHeld(state, { hold: { model: "", kind: "auth" } }, 1)).toEqual([
      { type: "cancel-requested", by: "hold", tasks: [2, 3], access: "auth" },
    ]);
    expect(cancelHeld(state, { hold: { model: "sonnet", kind: "auth" } }, 1)).toEqual([]);
  });

  test("what is queued ends, and what runs does not", () => {
    const state = after(created(3), started(2, 2, 1));
    expect<unknown>(cancelQueued(state, "budget")).toEqual([
      { type: "cancel-requested", by: "budget", tasks: [1, 3] },
    ]);
    expect<unknown>(notStarted(state, "why")).toEqual(
      [1, 3].map((task) => ({
        type: "attempt-ended",
        task,
        attempt: 0,
        outcome: { kind: "not-started", message: "why" },
      })),
    );
  });
});

test("an end is written with what there is of it, and no more", () => {
  expect<unknown>(endedEvent(1, 2, { outcome: crashed }, undefined)).toEqual({
    type: "attempt-ended",
    task: 1,
    attempt: 2,
    outcome: crashed,
  });
  const usage = usageOf(1);
  const whole = {
    outcome: crashed,
    usage,
    leaked: [identity],
    sessionId: "s",
    model: "m",
    resumable: true,
    unsaved: true,
    remarks: ["r"],
  };
  expect<unknown>(endedEvent(1, 2, whole, 0)).toEqual({
    type: "attempt-ended",
    task: 1,
    attempt: 2,
    ...whole,
    retryAt: expect.any(Number),
  });
  expect<unknown>(
    endedEvent(1, 2, { outcome: crashed, leaked: [], resumable: false, remarks: [] }, undefined),
  ).toEqual({
    type: "attempt-ended",
    task: 1,
    attempt: 2,
    outcome: crashed,
  });
});

describe("of the end of a batch", () => {
  const over = (ms: number, batch: object = {}, ...before: ReturnType<typeof event>[]) =>
    after(
      created(2, { batch: { notifications: true, ...batch } }),
      ...before,
      ended(3, 1, 0, succeeded),
      event(1 + ms, { type: "batch-ended" }),
    );
  const commands = (state: ReturnType<typeof over>) => {
    using inside = new Inside();
    inside.script("bin/notify-send", "exit 0");
    const desktop = { DISPLAY: ":0", DBUS_SESSION_BUS_ADDRESS: "x", PATH: inside.file("bin") };
    return noticesOf(state, desktop).map(({ command }) => command);
  };

  test("the user's own command is always told", () => {
    const notifyCommand = ["notify", "it"];
    expect(commands(over(1, { notifyCommand }))).toEqual([notifyCommand]);
    expect(commands(over(1))).toEqual([]);
  });

  test("a summary is shown with it, and a sample that waits", () => {
    using inside = new Inside();
    inside.script("bin/notify-send", "exit 0");
    const desktop = { DISPLAY: ":0", DBUS_SESSION_BUS_ADDRESS: "x", PATH: inside.file("bin") };
    const textsOf = (state: ReturnType<typeof over>) =>
      noticesOf({ ...state, createdAt: state.changedAt - minute }, desktop)
        // On Windows, the texts are in variables.
        .flatMap(({ command, variables }) => [...command, ...Object.values(variables)]);
    const summary = { round: 1, level: 1, first: 1, last: 1, isWhole: true };
    const summarized = inside
      .batch(inside.context(), { tasks: 1, batch: { notifications: true } })
      .answer(1, "fine")
      .append({ type: "tasks-added", tasks: [{ prompt: "x", summary }] })
      .answer(2, "All is\nsound.")
      .finish();
    expect(factsOf(summarized.log.state)["BATCH_SUMMARY_TEXT"]).toBe("All is\nsound.");
    expect(textsOf(summarized.log.state).join("|")).toContain(
      "Summary: All is sound.\nThe task and the summary succeeded.",
    );
    const waits = inside
      .batch(inside.context(), { tasks: 2, batch: { notifications: true, name: "Review", sample: [1] } })
      .answer(1, "fine")
      .append({ type: "batch-paused" });
    expect(factsOf(waits.log.state)["BATCH_SUMMARY_TEXT"]).toBe("");
    expect(textsOf(waits.log.state).join("|")).toContain("Batch Review waits for you after its sample");
  });

  test("nobody is told who waits, and nobody before it", () => {
    const notifyCommand = ["notify"];
    const waited = after(
      created(1, { batch: { notifyCommand }, leash: identity }),
      event(2, { type: "batch-ended" }),
    );
    expect(commands(waited)).toEqual([]);
    expect(commands(after(created(1, { batch: { notifyCommand } })))).toEqual([]);
  });

  test("the desktop is told after a minute, unless the user cancelled it or wants nothing told", () => {
    const count = (state: ReturnType<typeof over>) => commands(state).length;
    expect(count(over(minute))).toBe(1);
    expect(count(over(minute - 1))).toBe(0);
    expect(count(over(minute, { notifications: false }))).toBe(0);
    expect(count(over(minute, {}, event(2, { type: "cancel-requested", by: "user" })))).toBe(0);
    expect(count(over(minute, {}, event(2, { type: "cancel-requested", by: "client" })))).toBe(1);
  });

  test("a command gets the facts in its environment", () => {
    const state = after(
      created(3, { batch: { name: "Review", budgetUsd: 1 } }),
      started(2, 1, 1),
      ended(3, 1, 1, succeeded, { usage: usageOf(0.5) }),
      started(4, 2, 1),
      ended(5, 2, 1, crashed),
      event(6, { type: "cancel-requested", by: "budget" }),
      event(90_001, { type: "batch-ended" }),
    );
    expect(factsOf(state)).toEqual({
      BATCH_ID: "bcdfghjk",
      BATCH_NAME: "Review",
      BATCH_STATE: "cancelled",
      BATCH_END: "stopped",
      BATCH_STOPPED_BY: "budget",
      BATCH_REASON:
        "Stopped at its budget of $1.00: 2 of 3 tasks done (1 succeeded, 1 failed), 1 not started.",
      BATCH_NEXT: expect.stringMatching(/^parallel-claude-code-mcp retry bcdfghjk --batch-budget-usd /),
      BATCH_TOTAL: "3",
      BATCH_SUCCEEDED: "1",
      BATCH_FAILED: "1",
      BATCH_CANCELLED: "1",
      BATCH_CAUSES: "1 × Crashed without an exit code. parallel-claude-code-mcp retry bcdfghjk 2",
      BATCH_COST_USD: "0.5000",
      BATCH_SECONDS: "90",
      BATCH_REPORT: join("/out", "report-bcdfghjk.html"),
      BATCH_SUMMARY_TEXT: "",
      BATCH_SUMMARY: join("/out", "summary-bcdfghjk.json"),
      BATCH_OUTPUT_DIRECTORY: "/out",
    });
    const good = after(
      created(1),
      started(2, 1, 1),
      ended(3, 1, 1, succeeded),
      event(4, { type: "batch-ended" }),
    );
    expect(factsOf(good)).toMatchObject({
      BATCH_NAME: "",
      BATCH_END: "succeeded",
      BATCH_STOPPED_BY: "",
      BATCH_NEXT: "",
    });
  });

  testNeeding("sh")("a command is run where the results are", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), {
      batch: {
        outputDirectory: inside.work,
        notifyCommand: ["sh", "-c", 'echo "$BATCH_ID $BATCH_SUCCEEDED" >told'],
      },
    });
    batch.answer(1, "yes").finish();
    await notifyOf(batch.log.state);
    expect(await Bun.file(inside.file("work/told")).text()).toBe(`${batch.id} 1\n`);
  });
});

testNeeding("sh")(
  "a command of the user's that fails is complained of, and one that does not is none of our words",
  async () => {
    using inside = new Inside();
    using complaints = spyOn(console, "error").mockImplementation(() => undefined);
    const endedWith = (code: number) =>
      notifyOf(
        after(
          created(1, {
            batch: { notifyCommand: ["sh", "-c", `exit ${code}`], outputDirectory: inside.path },
          }),
          event(2, { type: "batch-ended" }),
        ),
      );
    await endedWith(0);
    expect(complaints.mock.calls).toEqual([]);
    await endedWith(3);
    expect(complaints.mock.calls[0]?.[0]).toEndWith("The notification `sh -c exit 3` ended with 3.");
  },
);
