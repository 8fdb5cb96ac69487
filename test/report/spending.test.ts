// What was spent and what is to come, in fields and in words.
import { describe, expect, test } from "bun:test";
import { timeLeftMs } from "../../src/model/estimate.ts";
import type { Event } from "../../src/model/event.ts";
import type { ModelUsage } from "../../src/model/outcome.ts";
import {
  billedToText,
  promptCacheText,
  rounded,
  spendingOf,
  spendingText,
} from "../../src/report/spending.ts";
import { timeLeftText } from "../../src/report/time-left.ts";
import { after, created, ended, event, started, succeeded, usageOf } from "../model/events.ts";

const tokens: ModelUsage = { input: 1, output: 1, cacheRead: 1, cacheWritten: 1 };

const running = { word: "running", now: 3_001 } as const;
const finished = { word: "finished", now: 3_001 } as const;

// A task that ran from 1,001 to 3,001, for two seconds.
function done(task: number, more: object = {}, from = 1_001, to = 3_001): Event[] {
  return [started(from, task, 1), ended(to, task, 1, succeeded, more)];
}

describe("the fields of spending", () => {
  const usage = usageOf(0.1, {
    apiKeySource: "none",
    models: { opus: { ...tokens, costUsd: 0.07 }, haiku: { ...tokens, costUsd: 0.03 }, free: tokens },
  });

  test("are sums by model and by credential, without the dust of binary fractions", () => {
    const state = after(
      created(4, { batch: { budgetUsd: 5 } }),
      ...[1, 2, 3].flatMap((task) => done(task, { usage })),
    );
    expect(spendingOf(state, { now: 3_001, word: "running" })).toEqual({
      totalCostUsd: 0.3,
      costByModel: { opus: 0.21, haiku: 0.09 },
      billedTo: [{ source: "none", costUsd: 0.3 }],
      batchBudgetUsd: 5,
      secondsLeft: 2,
      costToComeUsd: 0.1,
      estimate: {
        tasks: 1,
        basedOn: 3,
        costUsd: expect.any(Object),
        seconds: expect.any(Object),
        tokens: expect.any(Object),
      },
    });
  });

  test("have no estimate of a batch that does not run", () => {
    expect(
      spendingOf(after(created(2), ...done(1, { usage: usageOf(1) })), { now: 3_001, word: "finished" }),
    ).toEqual({
      totalCostUsd: 1,
    });
  });

  test("say that a session spent more than it said", () => {
    const state = after(created(1), ...done(1, { usage: usageOf(1, { atLeast: true }) }));
    expect(spendingOf(state, { now: 1, word: "finished" })).toEqual({ totalCostUsd: 1, costAtLeast: true });
  });

  test("have nothing to say before the first end", () => {
    expect(spendingOf(after(created(2)), { now: 1, word: "running" })).toEqual({ totalCostUsd: 0 });
  });

  test("give the time left in whole seconds", () => {
    const state = after(created(2), ...done(1, {}, 1_001, 3_000_501));
    expect(spendingOf(state, { now: 3_000_501, word: "running" })).toMatchObject({ secondsLeft: 3_000 });
    const held = { now: 3_000_501, word: "running" as const, heldUntil: 3_001_501 };
    expect(spendingOf(state, held)).toMatchObject({ secondsLeft: 3_001 });
  });

  test("round to a thousandth of a tenth of a cent", () => {
    expect(rounded(0.1 + 0.2)).toBe(0.3);
    expect(rounded(1.2345678)).toBe(1.234568);
  });
});

describe("what sessions share in the cache", () => {
  const shared = (cacheRead: number, savedUsd?: number) =>
    usageOf(1, {
      firstCall: { cacheRead, cacheWritten: 2_520, ...(savedUsd === undefined ? {} : { savedUsd }) },
    });

  test("is the sum of their first calls, and of nothing where there is one session", () => {
    const one = after(created(2), ...done(1, { usage: shared(0, 0) }));
    expect(spendingOf(one, finished).promptCache).toBeUndefined();
    expect(promptCacheText(one)).toBeUndefined();
    const two = after(
      created(2),
      ...done(1, { usage: shared(0, 0) }),
      ...done(2, { usage: shared(9_566, 0.05) }),
    );
    expect(spendingOf(two, finished).promptCache).toEqual({
      writtenTokens: 5_040,
      readTokens: 9_566,
      savedUsd: 0.05,
    });
    expect(promptCacheText(two)).toBe("5,040 tokens written, 9,566 read, which saved about $0.0500");
  });

  test("says nothing of money that nobody knows", () => {
    const two = after(created(2), ...done(1, { usage: shared(0) }), ...done(2, { usage: shared(9_566) }));
    expect(spendingOf(two, finished).promptCache).toEqual({ writtenTokens: 5_040, readTokens: 9_566 });
    expect(promptCacheText(two)).toBe("5,040 tokens written, 9,566 read");
  });
});

describe("spending in words", () => {
  test("says what is spent, of what, what is to come, on which models and by whom", () => {
    const usage = usageOf(1, {
      apiKeySource: "none",
      models: { opus: { ...tokens, costUsd: 0.75 }, haiku: { ...tokens, costUsd: 0.25 } },
    });
    const state = after(created(3, { batch: { budgetUsd: 5 } }), ...done(1, { usage }));
    expect(spendingText(state, running)).toBe(
      "$1.00 of a budget of $5.00, about $2.00 to come; opus $0.75, haiku $0.25; billed to the login",
    );
    expect(spendingText(state, finished)).toBe(
      "$1.00 of a budget of $5.00; opus $0.75, haiku $0.25; billed to the login",
    );
  });

  test("names one model not, and several credentials all", () => {
    const paid = (source: string) =>
      usageOf(1, { apiKeySource: source, models: { opus: { ...tokens, costUsd: 1 } } });
    const state = after(created(2), ...done(1, { usage: paid("none") }), ...done(2, { usage: paid("KEY") }));
    expect(spendingText(state, running)).toBe("$2.00; billed to the login and KEY");
    expect(billedToText(state)).toBe("the login and KEY");
    expect(billedToText(after(created()))).toBeUndefined();
  });

  test("says that it is at least so much", () => {
    const state = after(created(), ...done(1, { usage: usageOf(1, { atLeast: true }) }));
    expect(spendingText(state, finished)).toBe("at least $1.00");
  });
});

describe("the time that is left", () => {
  test("is not known before the first end, nor of a batch that ends or has ended", () => {
    expect(timeLeftMs(after(created(2)), 1)).toBeUndefined();
    const cancel = event(3_002, { type: "cancel-requested", by: "user" });
    expect(timeLeftMs(after(created(2), ...done(1), cancel), 3_002)).toBeUndefined();
    expect(
      timeLeftMs(after(created(2), ...done(1), event(3_002, { type: "batch-ended" })), 3_002),
    ).toBeUndefined();
  });

  test("is that of what is queued, one after another as so far", () => {
    // Two seconds of work in three seconds, and two tasks of two seconds are left.
    expect(timeLeftMs(after(created(3), ...done(1)), 3_001)).toBe(4_000);
  });

  test("is shared by as many as run", () => {
    const state = after(created(5), ...done(1), started(3_001, 2, 1), started(3_001, 3, 1));
    // Two queued of 2 s, two that run with 2 s left: 8 s of work for two.
    expect(timeLeftMs(state, 3_001)).toBe(4_000);
    // After a second, each of the two has one left.
    expect(timeLeftMs(state, 4_001)).toBe(3_000);
  });

  test("is a quarter of the mean for one that has outlasted it", () => {
    expect(timeLeftMs(after(created(2), ...done(1), started(3_001, 2, 1)), 9_001)).toBe(500);
  });

  test("is never shorter than the longest that runs needs", () => {
    const three = [2, 3, 4].map((task) => started(3_001, task, 1));
    expect(timeLeftMs(after(created(4), ...done(1), ...three), 3_001)).toBe(2_000);
  });

  test("begins at the end of a hold, where something is queued", () => {
    const state = after(created(2), ...done(1));
    expect(timeLeftMs(state, 3_001, 13_001)).toBe(12_000);
    expect(timeLeftMs(state, 3_001, 1)).toBe(2_000);
    const running = after(created(2), ...done(1), started(3_001, 2, 1));
    expect(timeLeftMs(running, 3_001, 13_001)).toBe(2_000);
  });

  test("does not look at what was cancelled or never started", () => {
    const cancelled = [started(1_001, 1, 1), ended(9_001, 1, 1, { kind: "cancelled", by: "user" })];
    expect(timeLeftMs(after(created(2), ...cancelled), 9_001)).toBeUndefined();
    const never = ended(9_001, 1, 0, { kind: "not-started", message: "" });
    expect(timeLeftMs(after(created(2), never), 9_001)).toBeUndefined();
  });

  test("is as many at once as worked so far, where none runs", () => {
    // Three tasks of two seconds in three seconds: two at once. Two are left.
    const state = after(created(5), ...[1, 2, 3].flatMap((task) => done(task)));
    expect(timeLeftMs(state, 3_001)).toBe(2_000);
  });

  test("survives a clock that was set back", () => {
    const back = after(created(2), ...done(1, {}, 3_001, 1_001));
    expect(timeLeftMs(back, 3_001)).toBe(0);
    expect(timeLeftMs(after(created(2), ...done(1), started(9_001, 2, 1)), 3_001)).toBe(2_000);
  });

  test.each([
    [-5, "under 10 s"],
    [9_999, "under 10 s"],
    [10_000, "about 10 s"],
    [44_000, "about 40 s"],
    [54_999, "about 50 s"],
    [114_999, "about 110 s"],
    [115_000, "about 2 min"],
    [720_000, "about 12 min"],
    [3_569_000, "about 59 min"],
    [3_600_000, "about 60 min"],
    [7_800_000, "about 2 h"],
  ])("of %d ms is %j", (milliseconds, text) => {
    expect(timeLeftText(milliseconds)).toBe(text);
  });
});
