// The words for how a task ended, as people read them in a column.
import { expect, test } from "bun:test";
import { accessKinds, clocks, type Outcome } from "../../src/model/outcome.ts";
import type { DoneTask } from "../../src/model/state.ts";
import { outcomeWords } from "../../src/report/outcome-words.ts";
import { statusWord } from "../../src/report/row.ts";
import { batchState, failures, succeeded, usage } from "./samples.ts";

function wordsOf(outcome: Outcome, denied = false): string {
  return outcomeWords(taskOf(outcome, denied));
}

function taskOf(outcome: Outcome, denied = false): DoneTask {
  const [queued] = batchState(["one"], []).tasks;
  if (!queued) throw new Error("Internal error: no task");
  const denials = denied ? [{ rule: "Bash(rm)", tool: "Bash" }] : [];
  return {
    ...queued,
    status: "done",
    outcome,
    endedAt: 1,
    usage: usage({ denials }),
  } as unknown as DoneTask;
}

test("the page has the words of the command line", () => {
  for (const outcome of [succeeded, ...failures])
    expect(statusWord(taskOf(outcome)).word).toBe(outcomeWords(taskOf(outcome)));
  expect(statusWord(taskOf({ kind: "timed-out", clock: "wall", afterMs: 1 }))).toEqual({
    className: "bad",
    word: "timed out: total time",
  });
});

test("a task that a hold ended says for want of what, where its log does", () => {
  const words = accessKinds.map((access) => wordsOf({ kind: "cancelled", by: "hold", access }));
  expect(words).toEqual(["cancelled: usage limit", "cancelled: not logged in", "cancelled: billing"]);
  expect(wordsOf({ kind: "cancelled", by: "hold" })).toBe("cancelled: held too long");
});

test("a success at which tools were denied is not called a plain one", () => {
  expect([wordsOf(succeeded), wordsOf(succeeded, true)]).toEqual(["succeeded", "tools denied"]);
});

test("no word is one of ours: no hyphens, no names of clocks", () => {
  const timeOuts = clocks.map((clock): Outcome => ({ kind: "timed-out", clock, afterMs: 1 }));
  const words = [...failures, ...timeOuts].map((outcome) => wordsOf(outcome));
  expect(words).toEqual([
    "failed: not logged in",
    "failed: usage limit",
    "failed: turn limit",
    "crashed",
    "crashed",
    "timed out: no output",
    "cancelled",
    "not started",
    "timed out: no first output",
    "timed out: no output",
    "timed out: total time",
  ]);
});
