// The words for how a task ended, as people read them in a column.
import { expect, test } from "bun:test";
import { clocks, type Outcome } from "../../src/model/outcome.ts";
import type { DoneTask } from "../../src/model/state.ts";
import { outcomeWords } from "../../src/report/outcome-words.ts";
import { batchState, failures, succeeded, usage } from "./samples.ts";

function wordsOf(outcome: Outcome, denied = false): string {
  const [queued] = batchState(["one"], []).tasks;
  if (!queued) throw new Error("Internal error: no task");
  const denials = denied ? [{ rule: "Bash(rm)", tool: "Bash" }] : [];
  const task = {
    ...queued,
    status: "done",
    outcome,
    endedAt: 1,
    usage: usage({ denials }),
  } as unknown as DoneTask;
  return outcomeWords(task);
}

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
