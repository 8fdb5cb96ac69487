// How a batch ended, derived from its state: the kind, by whom, and the known reason.
import { describe, expect, test } from "bun:test";
import { type BatchEnd, batchEndOf, endOfState, exitStatusOf } from "../../src/model/batch-end.ts";
import type { Event } from "../../src/model/event.ts";
import type { Counts } from "../../src/model/state.ts";
import { endedWord, type StateWord } from "../../src/model/state-word.ts";
import { after, crashed, created, ended, event, started, succeeded } from "./events.ts";

const counts: Counts = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };
const cancel = (more: object) => event(4, { type: "cancel-requested", by: "user", ...more });
const first = [created(3, { batch: { startedBy: "spawn_claude_session" } }), started(2, 1, 1)];

describe("the end of a batch", () => {
  test.each([
    ["running", { failed: 1, cancelled: 1 }, undefined],
    ["interrupted", { failed: 1, cancelled: 1 }, { kind: "interrupted" }],
    ["finished", {}, { kind: "succeeded" }],
    ["finished", { succeeded: 1 }, { kind: "succeeded" }],
    ["finished", { succeeded: 1, failed: 1 }, { kind: "failed" }],
    ["finished", { succeeded: 1, failed: 1, cancelled: 1 }, { kind: "stopped", by: "user" }],
    ["cancelled", { succeeded: 1 }, { kind: "succeeded" }],
    ["cancelled", { cancelled: 1 }, { kind: "stopped", by: "user" }],
  ] satisfies [StateWord, Partial<Counts>, BatchEnd | undefined][])(
    "that is %s with %j is %j",
    (word, some, end) => {
      expect(batchEndOf({ word, counts: { ...counts, ...some } })).toEqual(end);
    },
  );

  test.each([
    [cancel({}), { kind: "stopped", by: "user" }],
    [cancel({ by: "budget" }), { kind: "stopped", by: "budget" }],
    [cancel({ by: "hold", access: "auth" }), { kind: "stopped", by: "hold", access: "auth" }],
    [cancel({ by: "hold" }), { kind: "stopped", by: "hold" }],
    [cancel({ by: "leash" }), { kind: "stopped", by: "leash", startedBy: "spawn_claude_session" }],
  ] satisfies [Event, BatchEnd][])("after %j is %j", (request, end) => {
    const state = after(...first, request, ended(5, 1, 1, succeeded));
    expect(endOfState(state, "cancelled")).toEqual(end);
    expect(endOfState(state, "running")).toBeUndefined();
  });

  test("is of whoever asked for the end of the whole batch, else of whoever asked last", () => {
    const some = cancel({ by: "failure-mode", tasks: [2] });
    const all = cancel({ by: "budget" });
    const last = cancel({ by: "client", tasks: [3] });
    const endAfter = (...events: Event[]) => endOfState(after(...events), "finished");
    expect(endAfter(...first, some, last)).toEqual({ kind: "stopped", by: "client" });
    expect(endAfter(...first, some, all, last)).toEqual({ kind: "stopped", by: "budget" });
    // Asked for, and nothing was left to cancel.
    expect(endAfter(created(1), started(2, 1, 1), cancel({}), ended(5, 1, 1, crashed))).toEqual({
      kind: "failed",
    });
  });

  test("says what a hold lacked, or who waited, only where these stopped it", () => {
    const standing = { word: "cancelled", counts: { ...counts, cancelled: 1 } } as const;
    const known = { lackedAccess: "auth", startedBy: "run" } as const;
    const endBy = (stoppedBy: "hold" | "leash" | "budget") =>
      batchEndOf({ ...standing, ...known, stoppedBy });
    expect(endBy("hold")).toEqual({ kind: "stopped", by: "hold", access: "auth" });
    expect(endBy("leash")).toEqual({ kind: "stopped", by: "leash", startedBy: "run" });
    expect(endBy("budget")).toEqual({ kind: "stopped", by: "budget" });
    expect(batchEndOf({ ...standing, stoppedBy: "hold" })).toEqual({ kind: "stopped", by: "hold" });
  });

  test("is a success to a command only where all tasks succeeded", () => {
    const ends: (BatchEnd | undefined)[] = [
      { kind: "succeeded" },
      { kind: "failed" },
      { kind: "stopped", by: "user" },
      { kind: "interrupted" },
      undefined,
    ];
    expect(ends.map((end) => exitStatusOf(end))).toEqual([0, 1, 1, 1, 1]);
  });
});

describe("why a batch was stopped", () => {
  test("by a hold is what the last hold said it lacked", () => {
    const hold = (access?: string) => cancel({ by: "hold", tasks: [2], ...(access ? { access } : {}) });
    const lacked = (...events: Event[]) => after(...first, ...events).lackedAccess;
    expect(lacked(hold("auth"))).toBe("auth");
    expect(lacked(hold("auth"), hold("billing"))).toBe("billing");
    expect(lacked(hold("auth"), hold())).toBeUndefined();
    expect(lacked(hold("auth"), cancel({ by: "user" }))).toBe("auth");
    expect(lacked(cancel({ by: "user" }))).toBeUndefined();
    const [, task] = after(...first, hold("auth")).tasks;
    expect(task).toMatchObject({ outcome: { kind: "cancelled", by: "hold", access: "auth" } });
  });

  test("by a budget is the budget of that time", () => {
    const stop = cancel({ by: "budget" });
    const more = event(5, { type: "retry-requested", tasks: [2], budgetUsd: 9 });
    const of = (...events: Event[]) => {
      const { budgetUsd, stoppedAtUsd } = after(created(2, { batch: { budgetUsd: 2 } }), ...events);
      return [budgetUsd, stoppedAtUsd];
    };
    expect(of()).toEqual([2, undefined]);
    expect(of(cancel({ by: "user" }))).toEqual([2, undefined]);
    expect(of(stop)).toEqual([2, 2]);
    expect(of(stop, more)).toEqual([9, 2]);
    expect(after(created(2), stop)).not.toHaveProperty("stoppedAtUsd");
  });
});

test("a batch whose end is in its log is finished, or cancelled where somebody asked for that, or paused", () => {
  const counts = { queued: 0, running: 0, succeeded: 1, failed: 0, cancelled: 0 };
  expect([endedWord({ counts }), endedWord({ counts, cancelledBy: "user" })]).toEqual([
    "finished",
    "cancelled",
  ]);
  expect(endedWord({ counts: { ...counts, queued: 1 } })).toBe("paused");
});
