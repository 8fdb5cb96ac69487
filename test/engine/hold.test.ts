import { expect, test } from "bun:test";
import { type LimitName, limits } from "../../src/claude/limits.ts";
import { concerns, holdFor } from "../../src/engine/account/hold.ts";
import { retryDelayMs } from "../../src/engine/scheduler/retry.ts";
import { familyIn, limitText } from "../../src/model/limit-types.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { limitSamples, outcomeOfSample, sampleNow } from "../limit-samples.ts";

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
  const existing = (tries: number) => ({ since: now, until: now, tries });
  const waits = [0, 1, 2, 3, 4, 9].map(
    (tries) =>
      (holdFor(failed("auth"), { ...facts, existing: existing(tries), probed: true })?.until ?? 0) - now,
  );
  expect(waits).toEqual([0.5, 1, 2, 4, 8, 10].map((minutes) => minutes * minute));
});

test("those that were running when the limit came do not count as tries", () => {
  const existing = { since: now - 1_000, until: now + minute, tries: 0 };
  const late = holdFor(failed("usage-limit", { resetsAt: now + minute }), { ...facts, existing });
  expect(late).toMatchObject({ tries: 0, until: now + minute });
  const earlier = holdFor(failed("usage-limit", { resetsAt: now - minute }), { ...facts, existing });
  expect(earlier).toMatchObject({ until: now + minute });
});

test("a login that others still have is not the account's fault", () => {
  expect(holdFor(failed("auth"), { ...facts, othersAnswered: true })).toBeUndefined();
  expect(holdFor(failed("usage-limit"), { ...facts, othersAnswered: true })).toBeDefined();
});

test("patience for what names no end comes to an end, and begins anew for a hold that nobody has tried for long", () => {
  const old = { since: now - 25 * 60 * minute, until: now - 1_000, tries: 9 };
  expect(holdFor(failed("auth"), { ...facts, existing: old, probed: true })).toBeUndefined();
  expect(holdFor(failed("usage-limit"), { ...facts, existing: old, probed: true })).toBeUndefined();
  const stale = { ...old, until: now - 2 * 60 * minute };
  expect(holdFor(failed("auth"), { ...facts, existing: stale, probed: true })).toMatchObject({ since: now });
});

test("a reset that is named is waited for however long the hold has lasted, and patience begins anew behind it", () => {
  const old = { since: now - 25 * 60 * minute, until: now - 1_000, tries: 9 };
  const weekly = failed("usage-limit", { resetsAt: now + 6 * 24 * 60 * minute });
  expect(holdFor(weekly, { ...facts, existing: old, probed: true })).toMatchObject({
    since: now,
    until: now + 6 * 24 * 60 * minute,
  });
  // One that has passed is none: the API refuses all the same, and nobody says until when.
  const passed = failed("usage-limit", { resetsAt: now - minute });
  expect(holdFor(passed, { ...facts, existing: old, probed: true })).toBeUndefined();
});

test("a limit of one model name holds that name and no other", () => {
  const limit = failed("billing", { limitType: "long_context_credits_required" });
  const hold = holdFor(limit, { ...facts, model: "Sonnet[1m]" });
  const asked = ["sonnet[1m]", "SONNET[1M]", "sonnet", "opus[1m]", "claude-sonnet-5[1m]", undefined];
  expect(asked.map((model) => hold && concerns(hold, model))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  const own = holdFor(limit, facts);
  expect(["sonnet[1m]", undefined].map((model) => own && concerns(own, model))).toEqual([false, true]);
});

test("a limit of a family holds it with long context too, and the model names of the others go on", () => {
  for (const [limitType, family] of [
    ["seven_day_opus", "opus"],
    ["seven_day_sonnet", "sonnet"],
    ["seven_day_overage_included", "fable"],
  ] as const) {
    const hold = holdFor(failed("usage-limit", { limitType }), { ...facts, model: family });
    const asked = [family, `${family}[1m]`, `claude-${family}-5`, "haiku", undefined];
    expect(asked.map((model) => hold && concerns(hold, model))).toEqual([true, true, true, false, false]);
  }
});

/** What each kind of refusal holds, for how long at first, and at most between two tries; nothing: no hold. */
const byKind: Record<LimitName, { holds: string; minutes: [first: number, most: number] } | undefined> = {
  "long-context-credits": { holds: "=sonnet[1m]", minutes: [5, 30] },
  "model-credits": { holds: "=sonnet[1m]", minutes: [5, 30] },
  "family-limit": { holds: "sonnet", minutes: [5, 30] },
  "five-hour-limit": { holds: "", minutes: [5, 30] },
  "weekly-limit": { holds: "", minutes: [5, 30] },
  credits: { holds: "", minutes: [5, 30] },
  "other-limit": { holds: "", minutes: [5, 30] },
  throttle: undefined,
  overloaded: undefined,
  "organization-disabled": { holds: "", minutes: [0.25, 10] },
  "account-on-hold": { holds: "", minutes: [0.25, 10] },
  "verification-required": { holds: "", minutes: [0.25, 10] },
  "cloud-credentials": { holds: "", minutes: [0.25, 10] },
  "login-not-allowed": { holds: "", minutes: [0.25, 10] },
  billing: { holds: "", minutes: [5, 30] },
  login: { holds: "", minutes: [0.25, 10] },
};

for (const { name, reason } of limits) {
  for (const sample of limitSamples[name]) {
    const outcome = outcomeOfSample(sample, reason);
    const held = byKind[name];
    test(`${name} (${sample.text}) ${held ? "holds what it concerns until it may be over" : "holds nothing"}`, () => {
      const at = { ...facts, now: sampleNow, model: "sonnet[1m]" };
      const hold = holdFor(outcome, at);
      if (!held) {
        expect(hold).toBeUndefined();
        expect(retryDelayMs({ outcome, earlier: [], retries: 0, adopted: false, held: false }, 1)).toBe(
          2_000,
        );
        return;
      }
      const family = familyIn(outcome.limitType);
      // Whatever the task called a model of a family that is held, it is held as well.
      const holds = family === undefined || family === "sonnet" ? held.holds : "=sonnet[1m]";
      const minutes =
        outcome.resetsAt === undefined ? held.minutes[0] : (outcome.resetsAt - sampleNow) / minute;
      expect(hold).toMatchObject({ model: holds, until: sampleNow + minutes * minute });
      expect(hold?.because).toContain(sample.text.slice(0, 100));
      if (outcome.resetsAt !== undefined) return;
      const existing = { since: sampleNow, until: sampleNow, tries: 30 };
      expect(holdFor(outcome, { ...at, existing, probed: true })?.until).toBe(
        sampleNow + held.minutes[1] * minute,
      );
      const impatient = { ...existing, since: sampleNow - facts.patienceMs };
      expect(holdFor(outcome, { ...at, existing: impatient, probed: true })).toBeUndefined();
    });
  }
}

test("a hold says what to do", () => {
  const because = (name: LimitName, model?: string) => {
    const limit = limits.find((one) => one.name === name);
    const [sample] = limitSamples[name];
    const outcome = limit && sample && outcomeOfSample(sample, limit.reason);
    return outcome && holdFor(outcome, { ...facts, now: sampleNow, model })?.because;
  };
  expect(because("long-context-credits", "sonnet[1m]")).toContain("`sonnet[1m]` needs usage credits");
  expect(because("long-context-credits", "sonnet[1m]")).toContain("a model name without `[1m]`");
  expect(because("model-credits")).toContain(
    "The account's own model needs usage credits. Tasks that use other models continue",
  );
  expect(because("family-limit", "opus")).toContain("reached the account's weekly Opus limit");
  expect(because("family-limit", "opus")).toContain("another model");
  expect(because("five-hour-limit")).toContain(
    "five-hour limit; the batch continues automatically after the reset",
  );
  expect(because("five-hour-limit")).not.toContain("other models");
  for (const name of ["credits", "billing", "organization-disabled", "account-on-hold", "login"] as const)
    expect(because(name)).toContain("immediately after `parallel-claude-code-mcp doctor` in a terminal");
  expect(because("cloud-credentials")).toContain("Renew them");
  expect(because("verification-required")).toContain("must be verified");
  expect(because("login-not-allowed")).toContain("API key");
});

test("a hold names a limit in words for people, and never by an internal name or in the words of one door", () => {
  const types = [
    "seven_day_fable",
    "seven_day_haiku",
    "seven_day_mythos",
    "thirty_day_opus",
    "toString",
    "x_y",
  ];
  for (const limitType of types) {
    const text = holdFor(failed("usage-limit", { limitType }), facts)?.because ?? "";
    expect(text).toMatch(/reached the account's (weekly )?(Fable|Haiku|Mythos|Opus|usage) limit/);
    expect(text).not.toMatch(/_|`model`|--model/);
  }
});

test("whoever is advised to wait for a limit of a family is advised of other models too", () => {
  for (const family of ["opus", "sonnet", "haiku", "fable", "mythos"])
    expect(
      limitText(`seven_day_${family}`).advice?.(
        (name) => `--${name}`,
        (command) => command,
      ),
    ).toContain("another --model");
});
