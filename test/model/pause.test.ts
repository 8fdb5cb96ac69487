// Somebody pauses a batch: what waits then, what runs all the same, and what ends that.
import { expect, test } from "bun:test";
import type { Event, EventBody } from "../../src/model/event.ts";
import { isAtRest, isPaused, isWithheld } from "../../src/model/sample.ts";
import type { BatchState } from "../../src/model/state.ts";
import { passesWithoutSessions, pauseReason } from "../../src/model/wait-reason.ts";
import { after, created, ended, event, started, succeeded } from "./events.ts";

const pauses = (at: number, more: object = {}): Event =>
  event(at, { type: "retry-requested", tasks: [], pause: more } as EventBody);
const goesOn = (at: number): Event => event(at, { type: "retry-requested", tasks: [], pause: false });
const rests = (at: number): Event => event(at, { type: "batch-paused" });
const one = (task: number, at = 2): Event[] => [started(at, task, 1), ended(at + 1, task, 1, succeeded)];

function withheldIn(state: BatchState): number[] {
  return state.tasks.filter((task) => isWithheld(state, task)).map(({ number }) => number);
}

test("nothing that waits may start, what runs goes on, and the batch is at rest once that has ended", () => {
  const running = after(created(3), started(2, 1, 1), pauses(3));
  expect([withheldIn(running), isAtRest(running)]).toEqual([[2, 3], false]);
  const state = after(created(3), started(2, 1, 1), pauses(3), ended(4, 1, 1, succeeded));
  expect([withheldIn(state), isAtRest(state), isPaused(state)]).toEqual([[2, 3], true, false]);
  expect(isPaused(after(created(3), ...one(1), pauses(4), rests(5)))).toBe(true);
});

test("a task whose attempt failed while it is paused waits for its next one, too", () => {
  const again = { ...ended(4, 1, 1, { kind: "crashed", stderrTail: "" }), retryAt: 5 } as Event;
  expect(withheldIn(after(created(2), started(2, 1, 1), pauses(3), again))).toEqual([1, 2]);
});

test("it goes on when somebody says so, and what a retry asks for runs meanwhile", () => {
  expect(withheldIn(after(created(2), pauses(2), goesOn(3)))).toEqual([]);
  const failed = ended(3, 1, 1, { kind: "failed", reason: "max-turns", message: "" });
  const retried = event(5, { type: "retry-requested", tasks: [1] });
  const state = after(created(3), started(2, 1, 1), failed, pauses(4), rests(5), retried);
  expect([withheldIn(state), state.endedAt]).toEqual([[2, 3], undefined]);
});

test("a continuation ends it; of a sample that was not over, the sample goes on first", () => {
  const continued = (at: number) => event(at, { type: "continue-requested" });
  expect(withheldIn(after(created(3), ...one(1), pauses(4), rests(5), continued(6)))).toEqual([]);
  const sampled = created(4, { batch: { sample: [1, 2] } });
  const within = after(sampled, ...one(1), pauses(4), rests(5), continued(6));
  expect([withheldIn(within), within.paused]).toEqual([[3, 4], undefined]);
  const over = after(sampled, ...one(1), ...one(2), pauses(4), rests(5), continued(6));
  expect(withheldIn(over)).toEqual([]);
});

test("its end and its cancellation end it, so that a retry afterwards runs", () => {
  const retried = event(9, { type: "retry-requested", tasks: [2] });
  const cancelled = event(5, { type: "cancel-requested", by: "user" });
  const end = event(6, { type: "batch-ended" });
  expect(withheldIn(after(created(2), ...one(1), pauses(4), rests(4), cancelled, end, retried))).toEqual([]);
  expect(
    after(created(1), started(2, 1, 1), pauses(3), ended(4, 1, 1, succeeded), end).paused,
  ).toBeUndefined();
});

test("what it says names who paused it and how it goes on, and is no hold that somebody has to hear of", () => {
  const reason = pauseReason(after(created(1), pauses(2, { client: "claude-ai" })));
  expect(reason?.because).toStartWith(
    "Paused by the client claude-ai. It goes on when somebody continues it: ",
  );
  expect(reason && passesWithoutSessions(reason)).toBe(true);
  expect(pauseReason(after(created(1), pauses(2)))?.because).toStartWith("Paused by the user. ");
  expect(pauseReason(after(created(1)))).toBeUndefined();
});

test("added tasks come behind the others, wait with them, and leave a sample as it was", () => {
  const added = event(3, { type: "tasks-added", tasks: [{ prompt: "more" }] });
  const state = after(created(2), pauses(2), added);
  expect([state.tasks.length, state.counts.queued, withheldIn(state)]).toEqual([3, 3, [1, 2, 3]]);
  expect(state.batch.givenAtFirst).toBe(2);
  expect(withheldIn(after(created(3, { batch: { sample: [1] } }), added))).toEqual([2, 3, 4]);
});
