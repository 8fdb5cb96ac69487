import { expect, test } from "bun:test";
import { concerns, holdFor } from "../../src/engine/hold.ts";
import type { Outcome } from "../../src/model/outcome.ts";

const now = Date.UTC(2026, 10, 22, 20, 0);
const minute = 60_000;

type Failed = Extract<Outcome, { kind: "failed" }>;
const failed = (reason: Failed["reason"], more: Partial<Failed> = {}): Outcome => ({
  kind: "failed",
  reason,
  message: "said so",
  ...more,
});
const facts = { probed: false, othersAnswered: false, patienceMs: 24 * 60 * minute, now };

/** Which hold each way of ending asks for, and for how long. */
const table: [outcome: Outcome, hold: object | undefined][] = [
  [
    failed("usage-limit", { resetsAt: now + 90 * minute }),
    { kind: "usage-limit", model: "", until: now + 90 * minute },
  ],
  [failed("usage-limit"), { until: now + 5 * minute }],
  // A reset that has passed is tried at once; one that is a year away was misread.
  [failed("usage-limit", { resetsAt: now - minute }), { until: now }],
  [failed("usage-limit", { resetsAt: now + 400 * 24 * 60 * minute }), { until: now + 8 * 24 * 60 * minute }],
  [failed("usage-limit", { limitType: "seven_day_opus" }), { model: "default" }],
  [failed("auth"), { kind: "auth", model: "", until: now + minute / 4 }],
  [failed("billing"), { kind: "billing", model: "", until: now + 5 * minute }],
  [failed("rate-limit"), undefined],
  [failed("overloaded"), undefined],
  [failed("server-error"), undefined],
  [failed("connection"), undefined],
  [failed("budget"), undefined],
  [failed("model"), undefined],
  [{ kind: "crashed", stderrTail: "" }, undefined],
  [{ kind: "succeeded", length: 1, offset: 0 }, undefined],
  [{ kind: "cancelled", by: "user" }, undefined],
];

for (const [outcome, hold] of table) {
  const name = outcome.kind === "failed" ? `${outcome.reason} ${JSON.stringify(outcome)}` : outcome.kind;
  test(`${name} ${hold ? "holds the account" : "concerns its task alone"}`, () => {
    const found = holdFor(outcome, facts);
    if (hold) expect(found).toMatchObject(hold);
    else expect(found).toBeUndefined();
  });
}

test("a limit of one model holds the tasks that ask for it, or that leave the choice to the account", () => {
  const limit = failed("usage-limit", { limitType: "seven_day_opus" });
  const named = holdFor(limit, { ...facts, model: "claude-opus-4-8" });
  expect(named).toMatchObject({ model: "opus" });
  expect(
    ["opus", "claude-opus-4-8[1m]", "sonnet", undefined].map((model) => concerns({ model: "opus" }, model)),
  ).toEqual([true, true, false, false]);
  expect(["opus", undefined].map((model) => concerns({ model: "default" }, model))).toEqual([false, true]);
  expect(["opus", undefined].map((model) => concerns({ model: "" }, model))).toEqual([true, true]);
});

test("the task that met a limit is held by it, under whatever name it asked for its model", () => {
  const limit = failed("usage-limit", { limitType: "seven_day_opus" });
  for (const model of ["best", "my-alias", "sonnet", "arn:aws:bedrock:eu:1:Opus"]) {
    const hold = holdFor(limit, { ...facts, model });
    expect(hold && concerns(hold, model)).toBe(true);
  }
});

test("tries in vain come less and less often", () => {
  const standing = (tries: number) => ({ since: now, until: now, tries });
  const waits = [0, 1, 2, 3, 4, 9].map(
    (tries) =>
      (holdFor(failed("auth"), { ...facts, standing: standing(tries), probed: true })?.until ?? 0) - now,
  );
  expect(waits).toEqual([0.5, 1, 2, 4, 8, 10].map((minutes) => minutes * minute));
});

test("those that were running when the limit came do not count as tries", () => {
  const standing = { since: now - 1_000, until: now + minute, tries: 0 };
  const late = holdFor(failed("usage-limit", { resetsAt: now + minute }), { ...facts, standing });
  expect(late).toMatchObject({ tries: 0, since: now - 1_000, until: now + minute });
  const earlier = holdFor(failed("usage-limit", { resetsAt: now - minute }), { ...facts, standing });
  expect(earlier).toMatchObject({ until: now + minute });
});

test("a login that others still have is not the account's fault", () => {
  expect(holdFor(failed("auth"), { ...facts, othersAnswered: true })).toBeUndefined();
  expect(holdFor(failed("usage-limit"), { ...facts, othersAnswered: true })).toBeDefined();
});

test("patience for a login ends, and begins anew for a hold that nobody has tried for long", () => {
  const old = { since: now - 25 * 60 * minute, until: now - 1_000, tries: 9 };
  expect(holdFor(failed("auth"), { ...facts, standing: old, probed: true })).toBeUndefined();
  const stale = { ...old, until: now - 2 * 60 * minute };
  expect(holdFor(failed("auth"), { ...facts, standing: stale, probed: true })).toMatchObject({ since: now });
});
