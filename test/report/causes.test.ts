// What a cause is: which tasks ended alike, and what all of them need.
import { describe, expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import { causeFieldsOf } from "../../src/report/cause-fields.ts";
import { causeRemedy, causesSentence, taskWordsOf } from "../../src/report/cause-text.ts";
import { type Cause, causesOf, withoutParticulars } from "../../src/report/causes.ts";
import { batchState, ended, failures, started, succeeded, usage } from "./samples.ts";

function stateOf(...outcomes: Outcome[]) {
  return batchState(
    outcomes.map((_, index) => `task ${index + 1}`),
    outcomes.flatMap((outcome, index): EventBody[] => [started(index + 1), ended(index + 1, outcome)]),
  );
}

const numbersOf = ({ tasks }: Cause) => tasks.map(({ number }) => number);
const failed = (reason: "request" | "execution" | "auth" | "max-turns", message = ""): Outcome => ({
  kind: "failed",
  reason,
  message,
});

describe("tasks have the same cause", () => {
  test.each<[string, Outcome, Outcome]>([
    [
      "differ in numbers",
      failed("request", "API Error: 400 line 12"),
      failed("request", "API Error: 400 line 7"),
    ],
    [
      "name other files",
      failed("execution", "Cannot read src/a.ts"),
      failed("execution", "Cannot read lib/b/c.ts"),
    ],
    [
      "name other ids",
      failed("request", "API Error: 400 req_011CTx3"),
      failed("request", "API Error: 400 req_922ZZk9"),
    ],
    ["word one reason differently", failed("auth", "Invalid API key"), failed("auth", "OAuth token expired")],
    [
      "ran out of the same time",
      { kind: "timed-out", clock: "idle", afterMs: 1 },
      { kind: "timed-out", clock: "idle", afterMs: 9 },
    ],
    [
      "crashed alike",
      { kind: "crashed", exitCode: 3, stderrTail: "at 12:01\nno memory at 0x7f3a2b10" },
      { kind: "crashed", exitCode: 3, stderrTail: "no memory at 0x7f9e1c44" },
    ],
    [
      "wait for others that failed",
      { kind: "not-started", message: "", after: [1] },
      { kind: "not-started", message: "", after: [9] },
    ],
  ])("if they %s", (_, one, other) => {
    expect(causesOf(stateOf(one, other)).map(numbersOf)).toEqual([[1, 2]]);
  });

  test.each<[string, Outcome, Outcome]>([
    [
      "the API answered with another status",
      failed("request", "API Error: 400"),
      failed("request", "API Error: 413"),
    ],
    [
      "what was said is something else",
      failed("execution", "No such tool"),
      failed("execution", "No such file"),
    ],
    [
      "another clock ran out",
      { kind: "timed-out", clock: "idle", afterMs: 1 },
      { kind: "timed-out", clock: "wall", afterMs: 1 },
    ],
    [
      "they crashed otherwise",
      { kind: "crashed", exitCode: 3, stderrTail: "" },
      { kind: "crashed", signal: "SIGKILL", stderrTail: "" },
    ],
    [
      "other variables were lost",
      { kind: "not-started", message: "", lost: ["A"] },
      { kind: "not-started", message: "", lost: ["B"] },
    ],
  ])("but not if %s", (_, one, other) => {
    expect(causesOf(stateOf(one, other)).map(numbersOf)).toEqual([[1], [2]]);
  });

  test("and of successes, if the same rule was missing", () => {
    const denied = (rule: string) => usage({ denials: [{ tool: "Bash", rule }] });
    const state = batchState(
      ["a", "b", "c", "d"],
      [1, 2, 3, 4].flatMap((task): EventBody[] => [
        started(task),
        ended(
          task,
          succeeded,
          task === 4 ? usage() : denied(task === 2 ? "Bash(git push:*)" : "Bash(npm test:*)"),
        ),
      ]),
    );
    const causes = causesOf(state);
    expect(causes.map(numbersOf)).toEqual([[1, 3], [2]]);
    expect(causes.map((cause) => causeRemedy(state, cause, "command-line").retry)).toEqual([
      `parallel-claude-code-mcp retry bcdfghjk 1,3 --allowed-tools ${shellQuoted("Bash(npm test:*)")}`,
      `parallel-claude-code-mcp retry bcdfghjk 2 --allowed-tools ${shellQuoted("Bash(git push:*)")}`,
    ]);
  });

  test("unless somebody cancelled them, or they simply succeeded", () => {
    expect(causesOf(stateOf(succeeded, { kind: "cancelled", by: "user" }))).toEqual([]);
  });
});

test("tasks with options of their own have the same cause only if the same retry helps", () => {
  const state = stateOf(failed("max-turns"), failed("max-turns"), failed("max-turns"));
  const [, second] = state.batch.tasks;
  if (second) second.options = { maxTurns: 7 };
  const causes = causesOf(state);
  expect(causes.map(numbersOf)).toEqual([[1, 3], [2]]);
  expect(causes.map((cause) => causeRemedy(state, cause, "tools").retry)).toEqual([
    'retry_batch {"batchId":"bcdfghjk","tasks":[1,3],"with":{"maxTurns":50}}',
    'retry_batch {"batchId":"bcdfghjk","tasks":[2],"with":{"maxTurns":14}}',
  ]);
});

test("many tasks of a cause are named by it, and their numbers are never cut", () => {
  const every = (step: number) =>
    Array.from({ length: 200 }, (_, index) => (index % step === 0 ? failed("auth") : succeeded));
  const [ranges] = causesOf(stateOf(...every(1)));
  expect(ranges && taskWordsOf(ranges)).toHaveLength(200);
  const [scattered] = causesOf(stateOf(...every(2)));
  expect(scattered && taskWordsOf(scattered)).toEqual([expect.stringMatching(/^cause:auth-\w{5}$/)]);
});

test("a message loses what differs from task to task, and nothing else", () => {
  expect(withoutParticulars("Cannot read /home/me/a b.txt at line 12: no such file")).toBe(
    "Cannot read … … at line #: no such file",
  );
  expect(withoutParticulars("session 9f86d081-884c-7d65 (main.ts) ended")).toBe("session … … ended");
  expect(withoutParticulars("x".repeat(5_000)).length).toBeLessThanOrEqual(301);
});

test("fields of an answer have of each cause how many, which, an example, advice and the call", () => {
  const state = stateOf(...failures, failed("max-turns", "Reached maximum number of turns (3)"));
  const { causes = [] } = causeFieldsOf(state, "tools");
  expect(causes[0]).toMatchObject({
    cause: expect.stringMatching(/^max-turns-\w{5}$/),
    count: 2,
    tasks: "3, 9",
    outcome: "failed: max-turns",
    example: { taskIndex: 3, error: expect.stringContaining("Reached its turn limit. Claude said: ") },
    advice: expect.stringContaining("retry_batch"),
    retry: 'retry_batch {"batchId":"bcdfghjk","tasks":[3,9],"with":{"maxTurns":50}}',
  });
  expect(causeFieldsOf(state, "tools", 2)).toMatchObject({
    causes: { length: 2 },
    moreCauses: causes.length - 2,
  });
  expect(causeFieldsOf(stateOf(failed("auth")), "tools")).toEqual({});
  expect(causesSentence(state)).toMatch(
    /^Causes: 2 × Reached its turn limit; .*; and \d other causes \(\d tasks\)\.$/,
  );
});

test("10,000 hostile messages make no long keys, and take no long time", () => {
  const outcomes = Array.from({ length: 10_000 }, (_, index) =>
    failed(
      "execution",
      `${"\u001b[31m::error::\u202e/".repeat(500)} ${String.fromCharCode(97 + (index % 26))}q ${"a/".repeat(2_000)}`,
    ),
  );
  const state = stateOf(...outcomes);
  const causes = causesOf(state);
  expect(causes.length).toBeLessThanOrEqual(26);
  const said = JSON.stringify(causeFieldsOf(state, "tools"));
  expect(said.length).toBeLessThan(30_000);
  expect(said).not.toMatch(/\\u001b|\\u202e/);
}, 20_000);
