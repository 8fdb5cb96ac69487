import { describe, expect, test } from "bun:test";
import { type BatchEnd, batchEndOf, endOfState, exitStatusOf } from "../../src/model/batch-end.ts";
import type { EventBody } from "../../src/model/event.ts";
import { type Canceller, cancellers } from "../../src/model/outcome.ts";
import type { BatchState } from "../../src/model/state.ts";
import { statusText } from "../../src/report/answer.ts";
import {
  endClass,
  endFactsOf,
  endFieldsOf,
  endLabel,
  endSentences,
  nextCommand,
} from "../../src/report/batch-end.ts";
import { batchState, ended, started, succeeded, usage } from "./samples.ts";

const failed = { kind: "failed", reason: "auth", message: "no" } as const;
const cancelled = (by: Canceller) => ({ kind: "cancelled", by }) as const;

/** Of five tasks: one succeeded, one failed, one was stopped, and two never started. */
function stopped(by: Canceller, budgetUsd?: number): BatchState {
  const state = batchState(
    ["a", "b", "c", "d", "e"],
    [
      started(1),
      ended(1, succeeded, usage({ costUsd: 0.01 })),
      started(2),
      ended(2, failed, usage({ costUsd: 0.03 })),
      started(3),
      { type: "cancel-requested", by, tasks: [3, 4, 5] },
      ended(3, cancelled(by), usage({ costUsd: 0 })),
      { type: "batch-ended" },
    ],
  );
  return budgetUsd === undefined ? state : { ...state, budgetUsd };
}

function said(state: BatchState, word: Parameters<typeof endOfState>[1] = "finished") {
  const end = endOfState(state, word);
  if (!end) throw new Error("It has not ended");
  const facts = endFactsOf(state, end);
  return {
    label: endLabel(facts),
    colour: endClass(end),
    status: exitStatusOf(end),
    command: nextCommand(facts),
    text: endSentences(facts, "command-line"),
    forModels: endSentences(facts, "tools"),
  };
}

describe("the end of a batch", () => {
  test("of which all tasks succeeded needs nothing more", () => {
    const state = batchState(["a"], [started(1), ended(1, succeeded), { type: "batch-ended" }]);
    expect(said(state)).toEqual({
      label: "succeeded",
      colour: "ok",
      status: 0,
      command: undefined,
      text: "The task succeeded.",
      forModels: "The task succeeded.",
    });
  });

  test("with failures says how many, and how to rerun them", () => {
    const state = batchState(
      ["a", "b"],
      [started(1), ended(1, succeeded), started(2), ended(2, failed), { type: "batch-ended" }],
    );
    expect(said(state)).toEqual({
      label: "1 failed",
      colour: "warn",
      status: 1,
      command: "parallel-claude-code-mcp retry bcdfghjk",
      text: "All 2 tasks ended: 1 succeeded, 1 failed. `parallel-claude-code-mcp retry bcdfghjk` reruns what failed. `parallel-claude-code-mcp show bcdfghjk` says what went wrong and what to change.",
      forModels:
        'All 2 tasks ended: 1 succeeded, 1 failed. retry_batch (batchId bcdfghjk) reruns what failed. read_batch_results (batchId bcdfghjk, status "error") says what went wrong and what to change.',
    });
  });

  test("by its budget says what was done, what was not, and a budget that is likely to be enough", () => {
    // $0.04 for two tasks: $0.02 for each of the other three, and a fifth of that in reserve.
    expect(said(stopped("budget", 0.04))).toEqual({
      label: "stopped: budget",
      colour: "warn",
      status: 1,
      command: "parallel-claude-code-mcp retry bcdfghjk --batch-budget-usd 0.12",
      text: "Stopped at its budget of $0.0400: 2 of 5 tasks done (1 succeeded, 1 failed), 1 stopped, 2 not started. `parallel-claude-code-mcp retry bcdfghjk --batch-budget-usd 0.12` runs the rest. `parallel-claude-code-mcp show bcdfghjk` says what went wrong and what to change.",
      forModels:
        'Stopped at its budget of $0.0400: 2 of 5 tasks done (1 succeeded, 1 failed), 1 stopped, 2 not started. retry_batch (batchId bcdfghjk, batchBudgetUsd 0.12 or more) runs the rest. read_batch_results (batchId bcdfghjk, status "error") says what went wrong and what to change.',
    });
  });

  test("by its budget expects the cost of a session, not of answers that were used again", () => {
    const reused = { batchId: "bcdfghjk", task: 1, at: 3, sessionId: "s", transcript: "/t" };
    const prompts = Array.from({ length: 12 }, (_, index) => (index < 10 ? "same" : `task ${index}`));
    const state = batchState(prompts, [
      started(1),
      ended(1, succeeded, usage({ costUsd: 1 })),
      ...Array.from({ length: 9 }, (_, index) =>
        ended(index + 2, { ...succeeded, reused }, usage({ costUsd: 0 }), 0),
      ),
      { type: "cancel-requested", by: "budget", tasks: [11, 12] },
      { type: "batch-ended" },
    ]);
    const { command } = said({ ...state, budgetUsd: 1 });
    expect(command).toBe("parallel-claude-code-mcp retry bcdfghjk --batch-budget-usd 3.4");
  });

  test("by an earlier budget says which one, what is spent of that in force, and whether that is enough", () => {
    const again = (budgetUsd: number) => {
      const state = stopped("budget", 0.04);
      return said({ ...state, stoppedAtUsd: 0.04, budgetUsd });
    };
    const { text, command } = again(0.1);
    expect(text).toStartWith(
      "Stopped at its earlier budget of $0.0400: 2 of 5 tasks done (1 succeeded, 1 failed), 1 stopped, 2 not started. Its budget is now $0.10, of which $0.0400 is spent. `",
    );
    // $0.112 are likely.
    expect(command).toBe("parallel-claude-code-mcp retry bcdfghjk --batch-budget-usd 0.15");
    expect(again(5).command).toBe("parallel-claude-code-mcp retry bcdfghjk");
    expect(again(5).forModels).toContain(" retry_batch (batchId bcdfghjk) runs the rest.");
  });

  test("that found enough is a success, says so, and needs nothing more", () => {
    const state = stopped("stop-when");
    const batch = { ...state.batch, stopWhen: { found: 1 } };
    expect(said({ ...state, batch })).toEqual({
      label: "found enough",
      colour: "ok",
      status: 0,
      command: undefined,
      text: "Found 1, as asked: 2 of 5 tasks done (1 succeeded, 1 failed), 1 stopped, 2 not started.",
      forModels: "Found 1, as asked: 2 of 5 tasks done (1 succeeded, 1 failed), 1 stopped, 2 not started.",
    });
    // A row knows no number.
    expect(said(state).text).toStartWith("Found enough: 2 of 5 tasks done");
    expect(endFieldsOf({ kind: "succeeded", by: "stop-when" })).toEqual({
      end: "succeeded",
      stoppedBy: "stop-when",
    });
  });

  test.each([
    ["20%", "Stopped because 20% of its tasks failed: "],
    ["1", "Stopped because 1 task failed: "],
    [undefined, "Stopped because too many tasks failed: "],
  ])("with failWhen %s says how many that were", (failWhen, text) => {
    const state = stopped("fail-when");
    const batch = failWhen === undefined ? state.batch : { ...state.batch, failWhen };
    expect(said({ ...state, batch }).text).toStartWith(text);
  });

  const unsuccessful = cancellers.filter((by) => by !== "stop-when");
  test.each(unsuccessful)("by %s says why, and gives a command", (by) => {
    const { label, colour, status, command, text } = said(stopped(by));
    const isWanted = by === "user" || by === "client";
    expect({ label: label.length < 24, colour, status }).toEqual({
      label: true,
      colour: isWanted ? "off" : "warn",
      status: 1,
    });
    expect(text).toMatch(
      /^(?:Stopped|Tasks were cancelled) .*: 2 of 5 tasks done \(1 succeeded, 1 failed\), 1 stopped, 2 not/,
    );
    // Only a budget needs another one, whoever else there is one for.
    const withBudget = said(stopped(by, 0.04));
    const budget = by === "budget" ? " --batch-budget-usd 0.12" : "";
    expect(command).toStartWith("parallel-claude-code-mcp retry bcdfghjk");
    expect(withBudget.command).toBe(`parallel-claude-code-mcp retry bcdfghjk${budget}`);
    expect(withBudget.forModels.includes("batchBudgetUsd")).toBe(by === "budget");
    expect(withBudget.text.startsWith("Stopped at its budget")).toBe(by === "budget");
    expect(withBudget.text.includes("$0.04")).toBe(by === "budget");
  });

  test("points at what went wrong where something did, and it is known", () => {
    const cancels: EventBody[] = [{ type: "cancel-requested", by: "user" }];
    const clean = batchState(["a", "b"], [started(1), ended(1, succeeded), ...cancels]);
    expect(said(clean, "cancelled").text).toEndWith(
      "`parallel-claude-code-mcp retry bcdfghjk` runs the rest.",
    );
    // Of an interrupted one, all that is open goes on first.
    const cutOff = batchState(["a", "b"], [started(1), ended(1, failed)]);
    expect(said(cutOff, "interrupted").text).toEndWith(
      "`parallel-claude-code-mcp retry bcdfghjk` resumes the rest.",
    );
  });

  test.each([
    [undefined, {}],
    [{ kind: "succeeded" }, { end: "succeeded" }],
    [{ kind: "failed" }, { end: "failed" }],
    [{ kind: "interrupted" }, { end: "interrupted" }],
    [
      { kind: "stopped", by: "budget" },
      { end: "stopped", stoppedBy: "budget" },
    ],
  ] satisfies [BatchEnd | undefined, ReturnType<typeof endFieldsOf>][])(
    "%j is in the fields of an answer: %j",
    (end, fields) => {
      expect(endFieldsOf(end)).toEqual(fields);
    },
  );

  test("of one without processes says what is kept, and how the rest is resumed", () => {
    const state = batchState(["a", "b", "c"], [started(1), ended(1, succeeded), started(2)]);
    expect(said(state, "interrupted").text).toBe(
      "Interrupted: 1 of 3 tasks done, 2 unfinished. Finished results are kept. `parallel-claude-code-mcp retry bcdfghjk` resumes the rest.",
    );
    expect(endOfState(state, "running")).toBeUndefined();
  });

  test("is named after whoever cancelled all of it, else after whoever cancelled tasks last", () => {
    const state = stopped("budget");
    const byOf = (end: BatchEnd | undefined) => (end?.kind === "stopped" ? end.by : end?.kind);
    expect(byOf(endOfState({ ...state, cancelledBy: "user" }, "cancelled"))).toBe("user");
    expect(byOf(endOfState(state, "finished"))).toBe("budget");
    // Asked for its end when all had ended anyway.
    const counts = { ...state.counts, cancelled: 0 };
    expect(byOf(batchEndOf({ word: "cancelled", counts, stoppedBy: undefined }))).toBe("failed");
  });

  test("names a file that could not be written", () => {
    const state = batchState(["a"], [started(1), ended(1, succeeded), { type: "batch-ended" }]);
    state.fileFailures.set("/out/x.html", "no space left");
    expect(statusText(state, "finished", { door: "tools" })).toBe(
      "The task succeeded. 1 file could not be written: /out/x.html: no space left.",
    );
  });
});

describe("the label of a batch whose user cancelled tasks", () => {
  const counts = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 3 };

  test.each([
    [{}, "cancelled"],
    [{ succeeded: 5 }, "3 cancelled"],
    [{ succeeded: 5, failed: 2 }, "2 failed, 3 cancelled"],
  ])("beside %o is %j", (others, label) => {
    for (const by of ["user", "client"] as const)
      expect(endLabel({ end: { kind: "stopped", by }, counts: { ...counts, ...others } })).toBe(label);
  });
});

describe("the label of a batch that was stopped", () => {
  const counts = { queued: 0, running: 0, succeeded: 1, failed: 0, cancelled: 3 };

  test.each([
    [{ by: "budget" }, "stopped: budget"],
    [{ by: "failure-mode" }, "stopped: a task failed"],
    [{ by: "hold" }, "stopped: no access"],
    [{ by: "hold", access: "auth" }, "stopped: not logged in"],
    [{ by: "hold", access: "billing" }, "stopped: billing"],
    [{ by: "hold", access: "usage-limit" }, "stopped: usage limit"],
    [{ by: "leash" }, "stopped: client gone"],
    [{ by: "leash", startedBy: "spawn_claude_session" }, "stopped: client gone"],
    [{ by: "leash", startedBy: "run" }, "stopped: run killed"],
    [{ by: "budget", startedBy: "run" }, "stopped: budget"],
  ] satisfies [Omit<Extract<BatchEnd, { kind: "stopped" }>, "kind">, string][])(
    "with %j is %j",
    (end, label) => {
      expect(endLabel({ end: { kind: "stopped", ...end }, counts })).toBe(label);
    },
  );
});
