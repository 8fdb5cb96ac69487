// The sample of a batch, its pause, and what follows it.
import { describe, expect, test } from "bun:test";
import { endOfState, exitStatusOf } from "../../src/model/batch-end.ts";
import { estimateOf } from "../../src/model/estimate.ts";
import type { Event } from "../../src/model/event.ts";
import { isAtRest, isPaused, isWithheld, sampleOf } from "../../src/model/sample.ts";
import type { BatchState } from "../../src/model/state.ts";
import { after, crashed, created, ended, event, identity, started, succeeded, usageOf } from "./events.ts";

describe("the tasks of a sample", () => {
  const listOf = (total: number) => Array.from({ length: total }, () => ({ prompt: "x" }));
  const sampleIn = (total: number, size: number) => sampleOf(listOf(total), size);

  test("are spread evenly over the list", () => {
    expect(sampleIn(200, 5)).toEqual([21, 61, 101, 141, 181]);
    expect(sampleIn(10, 3)).toEqual([2, 6, 9]);
    expect(sampleIn(2, 1)).toEqual([2]);
  });

  test("are as many different ones as were asked for, whatever the numbers are", () => {
    for (const total of [2, 3, 7, 100, 9_999])
      for (const size of [1, 2, 3, 6, 99, 9_998].filter((one) => one < total)) {
        const numbers = sampleIn(total, size);
        expect(new Set(numbers).size).toBe(size);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect([numbers[0] ?? 0, numbers.at(-1) ?? 0].every((number) => number >= 1 && number <= total)).toBe(
          true,
        );
      }
  });

  test("are those that wait for no other, and only then those that wait for nothing outside of it", () => {
    const after = (...numbers: number[]) => ({ prompt: "x", after: numbers });
    const free = { prompt: "x" };
    expect(sampleOf([after(4), free, after(2), free, free, after(1)], 2)).toEqual([2, 5]);
    expect(sampleOf([after(4), free, after(2), free, free, after(1)], 4)).toEqual([1, 2, 4, 5]);
    expect(sampleOf([after(3), after(1), free], 2)).toEqual([1, 3]);
  });

  test("are all where there are no more", () => {
    expect([sampleIn(3, 3), sampleIn(3, 9)]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });
});

const sampled = created(5, { batch: { sample: [2, 4] }, leash: identity });
const one = (task: number): Event[] => [started(2, task, 1), ended(3, task, 1, succeeded)];
const pause = event(4, { type: "batch-paused" });
const paused = [sampled, ...one(2), ...one(4), pause];

function withheldIn(state: BatchState): number[] {
  return state.tasks.filter((task) => isWithheld(state, task)).map(({ number }) => number);
}

test("tasks outside of the sample wait, and the batch is at rest once those in it have ended", () => {
  expect(withheldIn(after(sampled))).toEqual([1, 3, 5]);
  expect(isAtRest(after(sampled, ...one(2)))).toBe(false);
  const state = after(sampled, ...one(2), ...one(4));
  expect([isAtRest(state), isPaused(state)]).toEqual([true, false]);
  expect(isAtRest(after(created(5), ...one(2), ...one(4)))).toBe(false);
});

describe("once it is known which answers are remembered", () => {
  const checked = event(2, { type: "reuse-checked", missed: [] });
  const reused = { batchId: "bcdfghjk", task: 1, at: 1, sessionId: "s", transcript: "/t" };
  const hit = (task: number) => ended(2, task, 0, { ...succeeded, reused }, { usage: usageOf(0) });

  test("the sample is one of the tasks that have to run", () => {
    const state = after(sampled, hit(2), hit(4), checked, ...one(1));
    expect([...(state.sample ?? [])]).toEqual([1, 5]);
  });

  test("there is no sample of tasks that are no more than one", () => {
    const state = after(sampled, hit(2), hit(4), hit(1), checked);
    expect(withheldIn(state)).toEqual([]);
    expect(state).not.toHaveProperty("sample");
  });

  test("a second look, by another runner, changes no sample", () => {
    expect([...(after(sampled, checked, ...one(2), checked).sample ?? [])]).toEqual([2, 4]);
  });

  test("what was reused, and what another task answers, counts nowhere in the estimate", () => {
    const tasks = [{ prompt: "a" }, { prompt: "b" }, { prompt: "c" }, { prompt: "c", sameAs: 3 }];
    const batch = { sample: [2], tasks };
    const paid = ended(3, 2, 1, succeeded, { usage: usageOf(2) });
    const state = after(created(4, { batch }), hit(1), started(2, 2, 1), paid);
    expect(estimateOf(state, { now: 3 })).toMatchObject({ tasks: 1, basedOn: 1 });
  });
});

test("a task of the sample waits with what it starts after", () => {
  const batch = { sample: [2], tasks: [{ prompt: "a" }, { prompt: "b", after: [1] }] };
  expect(withheldIn(after(created(2, { batch })))).toEqual([1, 2]);
});

test("a task of the sample that is retried keeps the batch from its pause", () => {
  const again = ended(3, 4, 1, crashed, { retryAt: 9 });
  expect(isAtRest(after(sampled, ...one(2), started(2, 4, 1), again))).toBe(false);
});

test("a pause is no end: what waits is kept, and its exit status is its own", () => {
  const state = after(...paused);
  expect(isPaused(state)).toBe(true);
  expect(state.counts).toMatchObject({ queued: 3, succeeded: 2 });
  const end = endOfState(state, "paused");
  expect([end?.kind, exitStatusOf(end)]).toEqual(["paused", 4]);
});

describe("after a pause", () => {
  test("a continuation runs the rest, with another budget, other limits, and nobody who waits", () => {
    const state = after(...paused, event(5, { type: "continue-requested", budgetUsd: 9, concurrency: 7 }));
    expect(withheldIn(state)).toEqual([]);
    expect(state).toMatchObject({ budgetUsd: 9, batch: { concurrency: 7 } });
    for (const name of ["endedAt", "leash", "sample"]) expect(state).not.toHaveProperty(name);
  });

  test("a continuation may have somebody who waits", () => {
    expect(after(...paused, event(5, { type: "continue-requested", leash: identity })).leash).toEqual(
      identity,
    );
  });

  test("cancelling the batch cancels what waits, and leaves its end to a runner", () => {
    const state = after(...paused, event(5, { type: "cancel-requested", by: "user" }));
    expect(state.counts).toMatchObject({ queued: 0, cancelled: 3, succeeded: 2 });
    expect(state).not.toHaveProperty("endedAt");
    expect(state).not.toHaveProperty("leash");
    expect(isAtRest(state)).toBe(true);
  });

  test("a retry of what was cancelled then is no sample any more", () => {
    const cancelled = event(5, { type: "cancel-requested", by: "user" });
    const end = event(6, { type: "batch-ended" });
    const state = after(...paused, cancelled, end, event(7, { type: "retry-requested", tasks: [1, 3, 5] }));
    expect([withheldIn(state), state.counts.queued]).toEqual([[], 3]);
  });

  test("cancelling some tasks lets the others wait on", () => {
    const state = after(...paused, event(5, { type: "cancel-requested", by: "user", tasks: [1, 2] }));
    expect(state.counts).toMatchObject({ queued: 2, cancelled: 1, succeeded: 2 });
    expect([withheldIn(state), isAtRest(state)]).toEqual([[3, 5], true]);
  });

  test("a retry runs what failed in the sample, and the rest waits on", () => {
    const failed = [started(2, 4, 1), ended(3, 4, 1, crashed)];
    const state = after(
      sampled,
      ...one(2),
      ...failed,
      pause,
      event(5, { type: "retry-requested", tasks: [4] }),
    );
    expect([withheldIn(state), isAtRest(state)]).toEqual([[1, 3, 5], false]);
    expect(state).not.toHaveProperty("leash");
  });
});

test("a batch that was stopped during its sample still has one when it is retried, unless tasks are named", () => {
  const stopped = [
    sampled,
    ...one(2),
    event(4, { type: "cancel-requested", by: "budget", tasks: [1, 3, 4, 5] }),
  ];
  const ending = event(5, { type: "batch-ended" });
  const retry = (more: object) => event(6, { type: "retry-requested", tasks: [1, 3, 4, 5], ...more });
  expect(withheldIn(after(...stopped, ending, retry({})))).toEqual([1, 3, 5]);
  expect(withheldIn(after(...stopped, ending, retry({ sampled: [3] })))).toEqual([1, 5]);
});
