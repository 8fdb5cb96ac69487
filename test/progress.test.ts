// What a client that waits is told of its batch's progress.
import { expect, test } from "bun:test";
import { Progress } from "../src/operations/progress.ts";

const counts = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };

/** Tells these states one after the other, `done` of `total` tasks each; gives what the client got. */
function told(total: number, states: { done: number; endedAt?: number }[]): [number, string][] {
  const sent: [number, string][] = [];
  const batch = { state: { counts, tasks: [], totalCostUsd: 0 } };
  using progress = new Progress({ progress: (value, _, message) => sent.push([value, message]) }, batch);
  for (const { done, ...end } of states)
    progress.tell({
      counts: { ...counts, succeeded: done },
      tasks: { length: total },
      totalCostUsd: 0,
      ...end,
    });
  return sent;
}

test("the end of a batch reaches the total, and the end of its last task does not yet", () => {
  const sent = told(4, [{ done: 0 }, { done: 1 }, { done: 4 }, { done: 4 }, { done: 4, endedAt: 1 }]);
  expect(sent.map(([value]) => value)).toEqual([0, 1, expect.closeTo(1.003, 6), expect.any(Number), 4]);
  expect(sent.at(-1)?.[1]).toBe("4 of 4 ended, 0 running");
});

test("progress strictly increases and never exceeds the total, however often it is told", () => {
  const signs = Array.from({ length: 5_000 }, () => ({ done: 2 }));
  const states = [
    { done: 1 },
    { done: 1 },
    { done: 2 },
    ...signs,
    { done: 2, endedAt: 1 },
    { done: 2, endedAt: 1 },
  ];
  const values = told(2, states).map(([value]) => value);
  expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
  expect(values.at(-1)).toBe(2);
});

test("a batch that is tried again while somebody waits takes nothing back", () => {
  const values = told(3, [{ done: 3, endedAt: 1 }, { done: 1 }, { done: 3, endedAt: 2 }]).map(
    ([value]) => value,
  );
  expect(values).toEqual([3]);
});
