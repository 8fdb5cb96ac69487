// Which slot each session is drawn in.
import { expect, test } from "bun:test";
import type { BatchState } from "../../src/model/state.ts";
import { Lanes } from "../../src/report/lanes.ts";
import { after, crashed, created, ended, started, succeeded } from "../model/events.ts";

function lanesOf(state: BatchState): (number | undefined)[][] {
  const lanes = new Lanes();
  lanes.place(state);
  return state.tasks.map((task) => lanes.barsOf(task).map(({ lane }) => lane));
}

test("sessions that run at once have lanes of their own, and one that follows takes the lowest that is free", () => {
  const state = after(
    created(4),
    started(10, 1, 1),
    started(10, 2, 1),
    ended(20, 1, 1, succeeded),
    started(20, 3, 1),
    started(25, 4, 1),
  );
  expect(lanesOf(state)).toEqual([[0], [1], [0], [2]]);
});

test("a session that begins while another one still ends does not share its lane", () => {
  const state = after(created(2), started(10, 1, 1), started(19, 2, 1), ended(20, 1, 1, succeeded));
  expect(lanesOf(state)).toEqual([[0], [1]]);
});

test("a bar lasts from the start of its attempt to its end, or until now", () => {
  const retried = ended(20, 1, 1, crashed, { retryAt: 30 });
  const state = after(created(1), started(10, 1, 1), retried, started(40, 1, 2));
  const lanes = new Lanes();
  lanes.place(state);
  const [task] = state.tasks;
  const bars = task ? lanes.barsOf(task) : [];
  expect(bars.map(({ from, to }) => [from, to])).toEqual([
    [10, 20],
    [40, undefined],
  ]);
  expect(bars[1]).not.toHaveProperty("to");
  expect(lanes.count).toBe(1);
});

test("an attempt without an end of its own ends where the next begins, or with its task", () => {
  const state = after(created(1), started(10, 1, 1), started(30, 1, 2), ended(50, 1, 3, succeeded));
  const lanes = new Lanes();
  lanes.place(state);
  const [task] = state.tasks;
  expect(task && lanes.barsOf(task).map(({ to }) => to)).toEqual([30, 50]);
});

test("what has its lane keeps it when more is placed", () => {
  const events = [created(3), started(10, 1, 1), started(10, 2, 1)];
  const state = after(...events);
  const lanes = new Lanes();
  lanes.place(state);
  lanes.place(state);
  expect(lanes.count).toBe(2);
  const grown = after(...events, started(11, 3, 1));
  const other = new Lanes();
  other.place(grown);
  expect(other.count).toBe(3);
});

test("sessions take their lanes in the order in which they began, and not in that of their numbers", () => {
  const state = after(created(3), started(10, 3, 1), started(20, 2, 1), started(20, 1, 1));
  expect(lanesOf(state)).toEqual([[1], [2], [0]]);
});
