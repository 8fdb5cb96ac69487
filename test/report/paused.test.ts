// What is said of a batch that has paused after its sample: to people, to models, and to a command at its end.
import { expect, test } from "bun:test";
import { factsOf } from "../../src/engine/output/notify.ts";
import { endFactsOf, endLabel, endSentences } from "../../src/report/batch-end.ts";
import { after, crashed, created, ended, event, started, succeeded, usageOf } from "../model/events.ts";

function paused(batch: object = {}, outcome: typeof succeeded | typeof crashed = succeeded) {
  return after(
    created(10, { batch: { sample: [2, 5, 9], ...batch } }),
    ...[2, 5, 9].flatMap((task) => [
      started(1_001, task, 1),
      ended(3_001, task, 1, task === 9 ? outcome : succeeded, { usage: usageOf(1) }),
    ]),
    event(4_001, { type: "batch-paused" }),
  );
}

const end = { kind: "paused" } as const;

test("a person is given a command, and a model a tool, and the advice to ask", () => {
  const facts = endFactsOf(paused(), end);
  expect(endSentences(facts, "command-line")).toMatch(
    /^Paused after the sample: 3 of 10 tasks done, 7 waiting\. The other 7 tasks will probably cost \$7\.00 \(\$\S+ to \$\S+\) and take about 10 s \(.+\), going by 3 tasks\. `parallel-claude-code-mcp continue bcdfghjk` runs the rest, and `parallel-claude-code-mcp cancel bcdfghjk` ends the batch\.$/,
  );
  expect(endSentences(facts, "tools")).toEndWith(
    "Ask the user; then continue_batch (batchId bcdfghjk) runs the rest, and cancel_batch (batchId bcdfghjk) ends the batch.",
  );
});

test("what the rest costs includes the summary, and of equal tasks one", () => {
  const equal = { prompt: "same", sameAs: 6 };
  const tasks = Array.from({ length: 10 }, (_, index) =>
    index > 5 && index !== 8 ? equal : { prompt: index === 5 ? "same" : `task ${index + 1}` },
  );
  const facts = endFactsOf(paused({ tasks, summarize: { text: "x" } }), end);
  expect(endSentences(facts, "tools")).toContain(
    " The other 4 tasks and the summary will probably cost $5.00 (",
  );
});

test("a budget that is not enough, or perhaps not, is named", () => {
  const textOf = (budgetUsd: number) => endSentences(endFactsOf(paused({ budgetUsd }), end), "tools");
  expect(textOf(6)).toContain(
    "That exceeds the budget of $6.00, of which $3.00 is left, so only part of the tasks would run.",
  );
  expect(textOf(6)).toMatch(/continue_batch \(batchId bcdfghjk, batchBudgetUsd \d+ or more\)/);
  expect(textOf(11)).toContain("That may exceed the budget of $11.00, which includes what is spent.");
  expect(textOf(11)).toContain("continue_batch (batchId bcdfghjk) runs");
  expect(textOf(10_000)).not.toContain("exceed");
});

test("of a sample that failed as a whole, it is said why nothing can be estimated, whatever it cost", () => {
  for (const usage of [{}, { usage: usageOf(1) }]) {
    const state = after(
      created(10, { batch: { sample: [2, 5] } }),
      ...[2, 5].flatMap((task) => [started(1_001, task, 1), ended(1_101, task, 1, crashed, usage)]),
      event(4_001, { type: "batch-paused" }),
    );
    const text = endSentences(endFactsOf(state, end), "tools");
    expect(text).toContain(
      "8 waiting. What the rest will cost cannot be estimated, because no session of the sample succeeded. ",
    );
    expect(text).not.toContain("probably");
  }
});

test("of a sample whose answers were all used again, nothing is known of the rest", () => {
  const reused = { batchId: "bcdfghjk", task: 1, at: 1, sessionId: "s", transcript: "/t" };
  const state = after(
    created(10, { batch: { sample: [2] } }),
    ended(1_101, 2, 0, { ...succeeded, reused }),
    event(4_001, { type: "batch-paused" }),
  );
  expect(endSentences(endFactsOf(state, end), "tools")).toContain(
    "9 waiting. Nothing is known of what the rest will cost. ",
  );
});

test("failures in the sample are named", () => {
  const state = paused({}, crashed);
  expect(endLabel({ end, counts: state.counts })).toBe("paused, 1 failed");
  expect(endLabel({ end, counts: paused().counts })).toBe("paused");
  expect(endSentences(endFactsOf(state, end), "command-line")).toContain(
    "3 of 10 tasks done (2 succeeded, 1 failed)",
  );
  expect(endSentences(endFactsOf(state, end), "command-line")).toContain("says what went wrong");
});

test("the user's own command is told of the pause, and how to go on", () => {
  expect(factsOf(paused())).toMatchObject({
    BATCH_STATE: "paused",
    BATCH_END: "paused",
    BATCH_NEXT: "parallel-claude-code-mcp continue bcdfghjk",
    BATCH_SUCCEEDED: "3",
    BATCH_TOTAL: "10",
  });
});
