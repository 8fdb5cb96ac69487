// Equal tasks of a batch: when one runs, waits, or ends like another.
import { expect, test } from "bun:test";
import { isMatch } from "../../src/engine/attempt/check-answer.ts";
import { stepOf } from "../../src/engine/runner/equal-tasks.ts";
import { doomedBy } from "../../src/model/doomed.ts";
import type { EventBody } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { isAtRest, isWithheld } from "../../src/model/sample.ts";
import { apply, taskOf } from "../../src/model/state.ts";
import { batchState, ended, started, succeeded, usage } from "../report/samples.ts";

test("of failed equal tasks that are retried together, one runs, and the others end like it again", () => {
  const state = batchState(["same", "same", "same"], []);
  for (const task of state.batch.tasks.slice(1)) task.sameAs = 1;
  const then = (...bodies: EventBody[]) => {
    for (const body of bodies) apply(state, { ...body, at: state.changedAt + 1_000, epoch: 1 });
  };
  const steps = () =>
    state.tasks.flatMap((task) => (task.status === "queued" ? [stepOf(state, task.number).kind] : []));
  const failed: Outcome = { kind: "timed-out", clock: "wall", afterMs: 1 };
  const likeIt: Outcome = { kind: "not-started", message: "like task 1" };
  expect(steps()).toEqual(["start", "wait", "wait"]);
  then(started(1), ended(1, failed));
  expect(steps()).toEqual(["end", "wait"]);
  then(ended(2, likeIt), ended(3, likeIt));
  then({ type: "retry-requested", tasks: [1, 2, 3] });
  expect(steps()).toEqual(["start", "wait", "wait"]);
  then(started(1), ended(1, failed));
  expect(steps()).toEqual(["end", "wait"]);
  then(ended(2, likeIt), ended(3, likeIt));
  then({ type: "retry-requested", tasks: [3] });
  expect(steps()).toEqual(["start"]);
});

test("equal tasks whose new check or inputs name values of their own answer for each other no more", () => {
  const withCheck = (options: Record<string, unknown>, changed: number[]) => {
    const state = batchState(["same", "same", "same"], []);
    for (const task of state.batch.tasks.slice(1)) task.sameAs = 1;
    apply(state, {
      type: "retry-requested",
      tasks: [],
      changed,
      options,
      at: state.changedAt + 1_000,
      epoch: 1,
    });
    return state.batch.tasks.map(({ sameAs }) => sameAs);
  };
  expect(withCheck({ expect: { command: "check {{file}}" } }, [1, 2])).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(withCheck({ inputs: ["{{file}}"] }, [2, 3])).toEqual([undefined, undefined, undefined]);
  expect(withCheck({ expect: { command: "check all" } }, [2, 3])).toEqual([undefined, undefined, 2]);
  expect(withCheck({ expect: { command: "check {{file}}" } }, [3])).toEqual([undefined, 1, undefined]);
});

test("a task that has an answer and is retried gets a new one, and shares it with equal ones that are retried", () => {
  const state = batchState(["same", "same", "same", "same"], []);
  for (const task of state.batch.tasks.slice(1)) task.sameAs = 1;
  const then = (...bodies: EventBody[]) => {
    for (const body of bodies) apply(state, { ...body, at: state.changedAt + 1_000, epoch: 1 });
  };
  const steps = () =>
    state.tasks.flatMap((task) => (task.status === "queued" ? [stepOf(state, task.number).kind] : []));
  const reused = { batchId: state.batch.batchId, task: 1, at: 1, sessionId: "s-1", transcript: "/t/1" };
  const like = (number: number) => ended(number, { ...succeeded, reused }, usage(), 0);
  const second = (number: number): EventBody[] => [started(number, 2), ended(number, succeeded, usage(), 2)];
  then(started(1), ended(1, succeeded), like(2), like(3), like(4));
  // Tools were denied to it, and the settings may have changed since.
  then({ type: "retry-requested", tasks: [], succeeded: [2, 3] });
  expect(steps()).toEqual(["start", "wait"]);
  then(...second(2));
  expect(stepOf(state, 3)).toMatchObject({
    kind: "end",
    end: { outcome: { kind: "succeeded", reused: { task: 2 } } },
  });
  expect(taskOf(state, 4)).toMatchObject({ status: "done", outcome: { reused: { task: 1 } } });
  // What another one has answered since is new to it.
  then({ type: "retry-requested", tasks: [], succeeded: [4] });
  expect(stepOf(state, 4)).toMatchObject({ kind: "end", end: { outcome: { reused: { task: 2 } } } });
});

test("each waits for the first one that is open, and is looked at without the others", () => {
  const count = 2_000;
  const state = batchState(
    Array.from({ length: count }, () => "same"),
    [],
  );
  for (const task of state.batch.tasks.slice(1)) task.sameAs = 1;
  // What is looked at more than a few times for each task would be a square of their number.
  let looks = 0;
  const { tasks } = state;
  state.tasks = new Proxy(tasks, {
    get: (target, name, receiver) => {
      if (typeof name === "string" && /^\d+$/.test(name)) looks++;
      return Reflect.get(target, name, receiver);
    },
  });
  for (let number = 2; number <= count; number++)
    expect(stepOf(state, number)).toEqual({ kind: "wait", task: 1 });
  expect(doomedBy(state, [1]).size).toBe(count);
  expect(looks).toBeLessThan(10 * count);
});

test("one that failed is retried although an equal one had failed before it", () => {
  const state = batchState(["same", "same", "same"], []);
  for (const task of state.batch.tasks.slice(1)) task.sameAs = 1;
  const then = (...bodies: EventBody[]) => {
    for (const body of bodies) apply(state, { ...body, at: state.changedAt + 1_000, epoch: 1 });
  };
  const failed: Outcome = { kind: "timed-out", clock: "wall", afterMs: 1 };
  const likeIt: Outcome = { kind: "not-started", message: "like task 1" };
  then(started(1), ended(1, failed), ended(2, likeIt), ended(3, likeIt));
  then({ type: "retry-requested", tasks: [2, 3] });
  expect(stepOf(state, 2).kind).toBe("start");
  then(started(2), ended(2, failed));
  expect(stepOf(state, 3)).toMatchObject({
    kind: "end",
    end: { outcome: { message: expect.stringContaining("Task 2") } },
  });
});

test("one that is retried within a sample does not wait for one outside of it", () => {
  const state = batchState(["same", "same", "same", "another"], []);
  for (const task of state.batch.tasks.slice(1, 3)) task.sameAs = 1;
  state.sample = new Set([1, 3]);
  const failed: Outcome = { kind: "timed-out", clock: "wall", afterMs: 1 };
  for (const body of [
    started(1),
    ended(1, failed),
    { type: "cancel-requested", tasks: [3], by: "user" } satisfies EventBody,
    { type: "retry-requested", tasks: [3], sampled: [3] } satisfies EventBody,
  ])
    apply(state, { ...body, at: state.changedAt + 1_000, epoch: 1 });
  expect(state.tasks.map(({ status }) => status)).toEqual(["done", "queued", "queued", "queued"]);
  expect(isWithheld(state, taskOf(state, 2))).toBe(true);
  expect(stepOf(state, 3).kind).toBe("start");
});

test("whether a task waits for a continuation is found at once, however many ways lead to what it waits for", () => {
  const layers = 40;
  const state = batchState(
    Array.from({ length: layers * 5 }, (_, index) => `task ${index + 1}`),
    [],
  );
  state.sample = new Set(state.tasks.map(({ number }) => number));
  for (const [index, task] of state.batch.tasks.entries()) {
    const layer = Math.floor(index / 5);
    if (layer > 0) task.after = [1, 2, 3, 4, 5].map((place) => (layer - 1) * 5 + place);
  }
  expect(isAtRest(state)).toBe(false);
  expect(isWithheld(state, taskOf(state, layers * 5))).toBe(false);
});

test("an answer for which a schema leads nowhere does not match it", () => {
  const schema = { properties: { bug: { $ref: "#/$defs/missing" } } };
  const answerWith = (structured: unknown) => ({ text: "", structured });
  expect(isMatch({ schema }, answerWith({}))).toBe(true);
  expect(isMatch({ schema }, answerWith({ bug: 1 }))).toBe(false);
});
