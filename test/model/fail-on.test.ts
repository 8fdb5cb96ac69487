// Which failures are too many: a share of the tasks that were given.
import { expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import { isTooMany } from "../../src/model/fail-on.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { batchState, ended, started, succeeded } from "../report/samples.ts";

const failed: Outcome = { kind: "failed", reason: "execution", message: "" };

/** Four tasks, of which so many failed, and a summary of them. */
function withSummary(failures: number, summary: Outcome) {
  const outcomes = Array.from({ length: 4 }, (_, index) => (index < failures ? failed : succeeded));
  const runs = (outcome: Outcome, index: number): EventBody[] => [
    started(index + 1),
    ended(index + 1, outcome),
  ];
  const added = { prompt: "Sum up", summary: { round: 1, level: 1, first: 1, last: 4, isWhole: true } };
  return batchState(
    ["a", "b", "c", "d"],
    [...outcomes.flatMap(runs), { type: "tasks-added", tasks: [added] }, ...runs(summary, 4)],
  );
}

test("a percentage is one of the tasks, without the sessions that summarize them", () => {
  const half = withSummary(2, succeeded);
  expect(half.tasks).toHaveLength(5);
  expect(["50%", "51%", "2", "3"].map((limit) => isTooMany(limit, half))).toEqual([true, false, true, false]);
  const summaryFailed = withSummary(1, failed);
  expect(["25%", "50%", "2"].map((limit) => isTooMany(limit, summaryFailed))).toEqual([true, false, false]);
});

test("any failure is one, also that of a summary, unless none is", () => {
  const summaryFailed = withSummary(0, failed);
  expect(["any", "none"].map((limit) => isTooMany(limit, summaryFailed))).toEqual([true, false]);
  expect(isTooMany("any", withSummary(0, succeeded))).toBe(false);
});
