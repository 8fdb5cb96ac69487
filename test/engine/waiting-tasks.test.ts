// Tasks that wait for others: which end wakes which, and at what cost.
import { expect, test } from "bun:test";
import { WaitingTasks } from "../../src/engine/scheduler/waiting-tasks.ts";
import { apply, type BatchState, stateFrom } from "../../src/model/state.ts";
import { batchOf } from "../store/samples.ts";

/** A batch whose tasks start after these. `reads`: how often the state of a task was read. */
function waitingBatch(after: (readonly number[])[]) {
  const founding = batchOf(after.length);
  const tasks = after.map((one) => ({ prompt: "x", ...(one.length > 0 ? { after: [...one] } : {}) }));
  const state = stateFrom({ ...founding, batch: { ...founding.batch, tasks }, at: 1, epoch: 0 });
  const counted = { reads: 0 };
  const seen: BatchState = {
    ...state,
    tasks: new Proxy(state.tasks, {
      get: (all, name) => {
        if (typeof name === "string" && /^\d+$/.test(name)) counted.reads++;
        return Reflect.get(all, name);
      },
    }),
  };
  const waiting = new WaitingTasks(() => seen);
  const end = (task: number, by?: "user") => {
    if (by) apply(state, { type: "cancel-requested", by, tasks: [task], at: 2, epoch: 0 });
    else {
      const outcome = { kind: "succeeded" as const, length: 1, offset: 0 };
      apply(state, { type: "attempt-ended", task, attempt: 0, outcome, at: 2, epoch: 1 });
    }
  };
  for (let number = 1; number <= after.length; number++) {
    const wait = waiting.waitOf(number);
    if (wait.kind === "for") waiting.add(number, wait);
  }
  return { waiting, end, counted };
}

test("the end of a task wakes those that wait for it and need no other, once", () => {
  const { waiting, end } = waitingBatch([[], [], [1], [1, 2], [3]]);
  expect(waiting.size).toBe(3);
  end(1);
  expect(waiting.ended(1)).toEqual([3]);
  expect(waiting.ended(1)).toEqual([]);
  end(2);
  expect(waiting.ended(2)).toEqual([4]);
  expect([waiting.has(5), waiting.size]).toEqual([true, 1]);
});

test("what others have cancelled meanwhile is found by looking", () => {
  const { waiting, end } = waitingBatch([[], [1], [2]]);
  expect(waiting.look()).toEqual([]);
  end(2, "user");
  expect(waiting.look()).toEqual([2, 3]);
  expect(waiting.size).toBe(0);
});

test("10,000 tasks in a row, and one after 10,000 others, are looked at a few times each", () => {
  const most = 10_000;
  const row = waitingBatch(Array.from({ length: most }, (_, index) => (index === 0 ? [] : [index])));
  const woken: number[] = [];
  for (let task = 1; task <= most; task++) {
    row.end(task);
    woken.push(...row.waiting.ended(task));
  }
  expect(woken).toEqual(Array.from({ length: most - 1 }, (_, index) => index + 2));
  expect(row.counted.reads).toBeLessThan(10 * most);
  const all = Array.from({ length: most }, (_, index) => index + 1);
  const star = waitingBatch([...all.map(() => []), all]);
  for (const task of all) {
    star.end(task);
    expect(star.waiting.ended(task)).toEqual(task === most ? [most + 1] : []);
  }
  expect(star.counted.reads).toBeLessThan(10 * most);
});
