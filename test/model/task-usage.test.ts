// What a task used and what is remarked about it, over all of its attempts.
import { expect, test } from "bun:test";
import type { Event } from "../../src/model/event.ts";
import { after, crashed, created, ended as endedAt, event, started as startedAt, usageOf } from "./events.ts";

// One task; its attempts begin and end one after another.
const started = (attempt: number, more: object = {}) => startedAt(2 * attempt, 1, attempt, more);

function ended(attempt: number, costUsd: number | undefined, more: Record<string, unknown> = {}): Event {
  const { usage: used, ...rest } = more;
  const usage =
    costUsd === undefined ? {} : { usage: usageOf(costUsd, { durationMs: attempt, ...(used as object) }) };
  return endedAt(2 * attempt + 1, 1, attempt, crashed, { ...usage, ...rest });
}

function taskAfter(...events: Event[]) {
  const task = after(created(), ...events).tasks[0];
  if (task?.status !== "done") throw new Error("The task has not ended");
  return task;
}

const again = { retryAt: 9 };

test("money, tokens and turns of a task are the sums of all its attempts, the duration is the last one's", () => {
  const tokens = { input: 1, output: 2, cacheRead: 3, cacheWritten: 4, costUsd: 1 };
  const usage = { models: { opus: tokens } };
  const task = taskAfter(started(1), ended(1, 1, { ...again, usage }), started(2), ended(2, 0.5, { usage }));
  expect(task.usage).toEqual({
    costUsd: 1.5,
    numTurns: 6,
    durationMs: 2,
    models: { opus: { input: 2, output: 4, cacheRead: 6, cacheWritten: 8, costUsd: 2 } },
  });
});

test("a task with one attempt has the very usage of that, which takes no memory again", () => {
  const { usage, attempts } = taskAfter(started(1), ended(1, 1));
  expect(usage === attempts[0]?.usage && usage?.costUsd === 1).toBe(true);
});

test("a task costs at least what it says when any of its attempts did", () => {
  const usage = { atLeast: true };
  const task = taskAfter(started(1), ended(1, 1, { ...again, usage }), started(2), ended(2, 1));
  expect(task.usage).toMatchObject({ costUsd: 2, atLeast: true });
  expect(taskAfter(started(1), ended(1, 1)).usage).not.toHaveProperty("atLeast");
});

test("what a task cost is kept when it is cancelled in the queue, and when its next attempt cannot start", () => {
  const first = [started(1), ended(1, 1, again)];
  const cancelled = event(5, { type: "cancel-requested", by: "user" });
  expect(taskAfter(...first, cancelled).usage).toMatchObject({ costUsd: 1 });
  const outcome = { kind: "not-started", message: "gone" };
  expect(taskAfter(...first, ended(0, undefined, { outcome })).usage).toMatchObject({ costUsd: 1 });
  expect(taskAfter(cancelled)).not.toHaveProperty("usage");
});

test("that a task began again is said as long as nobody asked for it anew", () => {
  const anew = [started(1, { anewBecause: "why" }), ended(1, 1, again), started(2)];
  expect(taskAfter(...anew, ended(2, 1, { remarks: ["odd"] })).remarks).toEqual(["why", "odd"]);
  const asked = event(6, { type: "retry-requested", tasks: [1] });
  const later = event(7, { type: "attempt-ended", task: 1, attempt: 3, outcome: crashed });
  const third = event(7, { ...started(3), at: undefined, epoch: undefined });
  expect(taskAfter(...anew, ended(2, 1), asked, third, later)).not.toHaveProperty("remarks");
});

test("what a cut-off session cost does not say what a session costs", () => {
  const state = after(created(), started(1), ended(1, 0.1, { ...again, usage: { atLeast: true } }));
  expect(state).toMatchObject({ totalCostUsd: 0.1, unknownCosts: [0.1], spending: { ascending: [] } });
});
