// What a task waits for, and what follows from a task that did not succeed.
import { expect, test } from "bun:test";
import { skippedFrom, waitOf, withSkipped } from "../../src/model/prerequisites.ts";
import { apply, type BatchState, stateFrom } from "../../src/model/state.ts";
import { batchOf } from "../store/samples.ts";

/** A batch whose tasks start after these, with some of them ended. */
function stateOf(after: number[][], ends: Record<number, "ok" | "failed" | number[]> = {}): BatchState {
  const founding = batchOf(after.length);
  const tasks = after.map((one) => ({ prompt: "x", ...(one.length > 0 ? { after: one } : {}) }));
  const state = stateFrom({ ...founding, batch: { ...founding.batch, tasks }, at: 1, epoch: 0 });
  for (const [task, end] of Object.entries(ends)) {
    const outcome =
      end === "ok"
        ? { kind: "succeeded" as const, length: 1, offset: 0 }
        : end === "failed"
          ? { kind: "failed" as const, reason: "max-turns" as const, message: "" }
          : { kind: "not-started" as const, message: "", after: end };
    apply(state, { type: "attempt-ended", task: Number(task), attempt: 0, outcome, at: 2, epoch: 1 });
  }
  return state;
}

test("a task waits for the first of its prerequisites that has not ended, and never starts once one has failed", () => {
  const state = stateOf([[], [], [1, 2], [2], []], { 1: "ok" });
  expect(waitOf(state, 5)).toEqual({ kind: "free" });
  expect(waitOf(state, 3)).toEqual({ kind: "for", task: 2, index: 1 });
  expect(waitOf(stateOf([[], [1]], { 1: "failed" }), 2)).toEqual({ kind: "never" });
  expect(waitOf(stateOf([[], [1]], { 1: "ok" }), 2)).toEqual({ kind: "free" });
});

test("what hangs on a failed task is skipped, however far behind it, and says which failed and through which", () => {
  const state = stateOf([[], [1], [2], [3, 5], []], { 1: "failed" });
  expect(skippedFrom(state, [2])).toEqual([
    { number: 2, after: [1] },
    { number: 3, after: [1], through: 2 },
    { number: 4, after: [1], through: 3 },
  ]);
  // What was skipped before is not the reason, but what it waited for.
  const later = stateOf([[], [1], [2]], { 1: "failed", 2: [1] });
  expect(skippedFrom(later, [3])).toEqual([{ number: 3, after: [1], through: 2 }]);
  expect(skippedFrom(stateOf([[], [1]], { 1: "ok" }), [2])).toEqual([]);
});

test("10,000 tasks in a row are skipped at once", () => {
  const row = Array.from({ length: 10_000 }, (_, index) => (index === 0 ? [] : [index]));
  const skipped = skippedFrom(stateOf(row, { 1: "failed" }), [2]);
  expect(skipped.length).toBe(9_999);
  expect(skipped.at(-1)).toEqual({ number: 10_000, after: [1], through: 9_999 });
});

test("a retry takes along what the task kept from starting, and what keeps it from starting", () => {
  const state = stateOf([[], [1], [2], [], [4]], { 1: "failed", 2: [1], 3: [1], 4: "failed", 5: [4] });
  expect(withSkipped(state, [1])).toEqual([1, 2, 3]);
  expect(withSkipped(state, [3])).toEqual([1, 2, 3]);
  expect(withSkipped(state, [5])).toEqual([4, 5]);
  expect(withSkipped(stateOf([[], [1], [1]], { 1: "failed", 2: "failed" }), [1])).toEqual([1]);
});
