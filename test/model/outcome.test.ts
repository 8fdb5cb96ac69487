// What counts as a throttle, and what several attempts used together.
import { expect, test } from "bun:test";
import { isThrottled } from "../../src/model/outcome.ts";
import { unreachable } from "../../src/model/unreachable.ts";
import { sumOf, usageOfAll } from "../../src/model/usage-sum.ts";
import { crashed, succeeded, usageOf } from "./events.ts";

test("too many calls and an overloaded API are throttles, and nothing else is", () => {
  for (const reason of ["rate-limit", "overloaded"] as const)
    expect(isThrottled({ kind: "failed", reason, message: "" })).toBe(true);
  expect(isThrottled({ kind: "failed", reason: "usage-limit", message: "" })).toBe(false);
  expect(isThrottled(crashed)).toBe(false);
  expect(isThrottled(succeeded)).toBe(false);
});

const tokens = { input: 1, output: 2, cacheRead: 3, cacheWritten: 4 };

test("the cost of a model is a sum where either is known", () => {
  const doubled = { input: 2, output: 4, cacheRead: 6, cacheWritten: 8 };
  expect(sumOf(tokens, tokens)).toEqual(doubled);
  expect(sumOf({ ...tokens, costUsd: 1 }, tokens)).toEqual({ ...doubled, costUsd: 1 });
  expect(sumOf(tokens, { ...tokens, costUsd: 2 })).toEqual({ ...doubled, costUsd: 2 });
  expect(sumOf({ ...tokens, costUsd: 0 }, tokens)).toEqual({ ...doubled, costUsd: 0 });
});

test("of several attempts, the last one says how long it took, who paid and what was denied", () => {
  const denials = [{ tool: "Bash", rule: "Bash" }];
  const first = usageOf(1, { apiKeySource: "key", models: { opus: tokens }, atLeast: true });
  const last = usageOf(2, { durationMs: 7, apiKeySource: "none", denials, models: { haiku: tokens } });
  expect(usageOfAll([first, last])).toEqual({
    costUsd: 3,
    numTurns: 6,
    durationMs: 7,
    apiKeySource: "none",
    denials,
    atLeast: true,
    models: { opus: tokens, haiku: tokens },
  });
  expect(usageOfAll([])).toBeUndefined();
  expect(usageOfAll([usageOf(1)])).toEqual(usageOf(1));
});

test("a case that was forgotten is an error of ours", () => {
  expect(() => Reflect.apply(unreachable, undefined, ["a"])).toThrow('Internal error: unexpected "a"');
});
