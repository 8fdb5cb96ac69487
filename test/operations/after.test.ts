// The order of tasks as callers give it, and its faults.
import { expect, test } from "bun:test";
import { cycleIn, type Ordered, orderOf } from "../../src/operations/after.ts";
import type { Fault } from "../../src/operations/fault.ts";
import { faultText, toolWording } from "../../src/operations/fault-text.ts";

function ordered(...tasks: Partial<Ordered>[]) {
  const faults: Fault[] = [];
  const given = tasks.map((task, index) => ({ place: ["tasks", index], prompt: "x", ...task }));
  const orders = orderOf(given, faults);
  return { orders, faults: faults.map((fault) => faultText(fault, toolWording)) };
}

test("keys, names and numbers are numbers afterwards, and a key wins over a number", () => {
  const { orders, faults } = ordered(
    { key: "parse" },
    { name: "Lint the parser" },
    { key: "1", after: ["parse", "Lint the parser"] },
    { after: ["2", "3", "2", "1"] },
  );
  expect(faults).toEqual([]);
  expect(orders).toEqual([{}, {}, { after: [1, 2] }, { after: [2, 3] }]);
});

test("a prompt names the answers of what it starts after; without `after`, its words are text", () => {
  const { orders, faults } = ordered(
    { key: "src/a b.ts" },
    { prompt: "Compare {{results.src/a b.ts}} with {{ results.1 }} and {{other}}", after: ["src/a b.ts"] },
    { prompt: "Explain {{results.total}}" },
  );
  expect(faults).toEqual([]);
  expect(orders).toEqual([{}, { after: [1], results: { "src/a b.ts": 1, "1": 1 } }, {}]);
});

test("each fault says where it is, and what is meant", () => {
  expect(
    ordered(
      { key: "parse" },
      { after: ["prase", "9", "0"] },
      { key: "self", after: ["self"] },
      { name: "twin" },
      { name: "twin" },
      { after: ["twin"] },
      { prompt: "Read {{results.twin}} and {{results.parse}}", after: ["parse"] },
    ).faults,
  ).toEqual([
    'tasks[1].after[0] was given as "prase": expected the key, name or number of another task; did you mean `parse`?',
    'tasks[1].after[1] was given as "9": expected the key, name or number of another task',
    'tasks[1].after[2] was given as "0": expected the key, name or number of another task',
    "tasks[2].after[0] names the task itself",
    "tasks[5].after[0] is the name of several tasks (4, 5): give a key or a number",
    "tasks[6].task has {{results.twin}}, and `after` does not name that task",
  ]);
});

test("a cycle is named from a task in it back to that task", () => {
  expect(
    ordered({ key: "a", after: ["c"] }, { key: "b", after: ["a"] }, { key: "c", after: ["b"] }).faults,
  ).toEqual(["tasks wait for each other, so none of them could start: a → c → b → a"]);
  expect(ordered({ after: ["2"] }, { after: ["3"] }, { name: "x", after: ["2"] }).faults).toEqual([
    "tasks wait for each other, so none of them could start: task 2 → x → task 2",
  ]);
});

test("no order of 10,000 tasks is searched twice, in a row or in layers", () => {
  const row = Array.from({ length: 10_000 }, (_, index) => (index === 0 ? [] : [index]));
  expect(cycleIn(row)).toBeUndefined();
  expect(cycleIn([[10_000], ...row.slice(1)])).toHaveLength(10_001);
  // Each of 40 layers starts after both tasks of the one before: there are more ways than could be walked.
  const layers = Array.from({ length: 80 }, (_, index) =>
    index < 2 ? [] : [2 * Math.floor(index / 2) - 1, 2 * Math.floor(index / 2)],
  );
  expect(cycleIn(layers)).toBeUndefined();
});
