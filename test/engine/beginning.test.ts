// When a session that begins gives back its right to start.
import { expect, test } from "bun:test";
import { Beginning } from "../../src/engine/scheduler/beginning.ts";

/** A beginning, and how often it has ended. */
function begun(longestMs?: number) {
  const ends = { count: 0, first: Promise.withResolvers<void>() };
  const beginning = new Beginning(() => {
    ends.count++;
    ends.first.resolve();
  }, longestMs);
  return { beginning, ends };
}

test("a session without a prompt has begun when it is ready", () => {
  const { beginning, ends } = begun();
  beginning.ready();
  expect(ends.count).toBe(1);
  // It gets its prompt later, when another one has the right.
  beginning.asked();
  beginning.begun();
  beginning[Symbol.dispose]();
  expect(ends.count).toBe(1);
});

test("a session that has its prompt has begun with its first message, not when it is ready", () => {
  const { beginning, ends } = begun();
  beginning.asked();
  beginning.ready();
  beginning.ready();
  expect(ends.count).toBe(0);
  beginning.begun();
  beginning.begun();
  expect(ends.count).toBe(1);
});

test("a session that says nothing to its prompt has begun some time after it was ready", async () => {
  const { beginning, ends } = begun(1);
  beginning.asked();
  beginning.ready();
  await ends.first.promise;
  beginning.begun();
  expect(ends.count).toBe(1);
});

test("a session whose attempt is over has begun", () => {
  const { beginning, ends } = begun();
  beginning.asked();
  beginning[Symbol.dispose]();
  expect(ends.count).toBe(1);
});
