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
  const whole = stateOf(...every(1));
  const [ranges] = causesOf(whole);
  expect(ranges && taskWordsOf(ranges, whole.batch)).toHaveLength(200);
  const half = stateOf(...every(2));
  const [scattered] = causesOf(half);
  expect(scattered && taskWordsOf(scattered, half.batch)).toEqual([
    expect.stringMatching(/^cause:auth-\w{5}$/),
  ]);
});

test("tasks whose number is the key of another one are named by their cause", () => {
  const state = stateOf(failed("auth"), failed("auth"));
  const wordsWith = (...keys: string[]) => {
    // The keys of a list are read once.
    const tasks = state.batch.tasks.map((task, index) => ({ ...task, key: keys[index] ?? "" }));
    return causesOf(state).flatMap((cause) => taskWordsOf(cause, { tasks }));
  };
  expect(wordsWith("1", "2")).toEqual([1, 2]);
  expect(wordsWith("100", "200")).toEqual([1, 2]);
  expect(wordsWith("0", "1")).toEqual([expect.stringMatching(/^cause:auth-\w{5}$/)]);
});

test("tasks with other checks, or with another model that is not there, have other causes", () => {
  const unverified = (asked: string): Outcome => ({
    kind: "unverified",
    check: { kind: "command", asked, passed: false, output: "" },
    answer: succeeded,
  });
  const checks = stateOf(unverified("./lint.sh"), unverified("./types.sh"), unverified("./lint.sh"));
  expect(causesOf(checks).map(numbersOf)).toEqual([[1, 3], [2]]);
  // In a template, they name what the task is about.
  const templated = stateOf(unverified("test a/1.ts"), unverified("test b/2.ts"));
  Object.assign(templated.batch, { template: "Do {{file}}" });
  expect(causesOf(templated).map(numbersOf)).toEqual([[1, 2]]);
  const unknown: Outcome = { kind: "failed", reason: "model", message: "No such model." };
  const models = stateOf(unknown, unknown);
  const [, second] = models.batch.tasks;
  if (second) second.options = { model: "claude-bar-2" };
  expect(causesOf(models).map(numbersOf)).toEqual([[1], [2]]);
});

test("no retry is offered of tasks that waited for others, which would run those again as they were", () => {
  const state = stateOf(
    failed("max-turns"),
    { kind: "not-started", message: "", after: [1] },
    { kind: "not-started", message: "", after: [1] },
  );
  const [waited] = causesOf(state);
  const remedy = waited && causeRemedy(state, waited, "command-line");
  expect(remedy).toMatchObject({ retry: undefined, lacks: "nothing" });
  expect(remedy?.text).toBe("See what happened to task 1. A retry of it also runs these; nothing was spent.");
});

test("a retry says what it lacks", () => {
  const state = stateOf(failed("request", "API Error: 400"), failed("auth"), {
    kind: "not-started",
    message: "",
    lost: ["KEY"],
  });
  const { causes = [] } = causeFieldsOf(state, "tools");
  expect(causes.map(({ retryLacks }) => retryLacks)).toEqual(["options", undefined, "values"]);
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
