// Each known refusal is taken for what it is.
import { describe, expect, test } from "bun:test";
import { limits } from "../../src/claude/limits.ts";
import { LineCutter } from "../../src/claude/lines.ts";
import { outcomeOf } from "../../src/claude/outcome.ts";
import { applyLine, newReading, type Reading } from "../../src/claude/reading.ts";
import { limitSamples, linesOf, outcomeOfSample, sampleNow } from "../limit-samples.ts";

function readingOf(text: string): Reading {
  const reading = newReading();
  for (const line of new LineCutter().push(Buffer.from(text))) applyLine(reading, line);
  return reading;
}

function outcomeFor(text: string) {
  const evidence = {
    exit: { code: 1 },
    stderrTail: "",
    structured: false,
    slashCommands: false,
    now: sampleNow,
  };
  return outcomeOf({ reading: readingOf(text), ...evidence });
}

for (const { name, reason } of limits) {
  describe(`${name} is ${reason}`, () => {
    for (const sample of limitSamples[name]) {
      const { text, code, status, kind, event } = sample;
      test(`${text} (${JSON.stringify({ status, kind, code, event })})`, () => {
        expect(outcomeFor(linesOf(sample))).toEqual(outcomeOfSample(sample, reason));
      });
    }
  });
}

test("versions that print no `api_error` are understood by their events and words", () => {
  const seen = limits.flatMap(({ name, reason }) => limitSamples[name].map((sample) => ({ sample, reason })));
  const older = seen.filter(({ sample }) => sample.seen?.includes("2.1.197") && sample.code !== undefined);
  expect(older.length).toBeGreaterThan(5);
  for (const { sample, reason } of older) {
    const { code: _, ...rest } = sample;
    expect(outcomeFor(linesOf(rest))).toEqual(outcomeOfSample(sample, reason));
  }
});

test("a refusal counts as a throttle where it is one, though the CLI has not tried again, and a limit does not", () => {
  for (const { name, reason } of limits) {
    const throttles = limitSamples[name].map((sample) => readingOf(linesOf(sample)).throttles);
    const each = reason === "rate-limit" || reason === "overloaded" ? 1 : 0;
    expect([name, ...throttles]).toEqual([name, ...throttles.map(() => each)]);
  }
});

for (const status of ["allowed", "allowed_warning"]) {
  test(`an event that says ${status} refuses nothing, also where usage beyond the plan is counted`, () => {
    const allowed = {
      type: "rate_limit_event",
      rate_limit_info: { status, isUsingOverage: true, utilization: 0.93 },
    };
    const refused = {
      type: "rate_limit_event",
      rate_limit_info: { status: "rejected", rateLimitType: "five_hour" },
    };
    const result = {
      type: "result",
      subtype: "success",
      is_error: true,
      api_error_status: 500,
      result: "API Error",
    };
    const lines = [refused, allowed, result].map((line) => `${JSON.stringify(line)}\n`).join("");
    expect(readingOf(lines).limitRejected).toBeUndefined();
    expect(outcomeFor(lines)).toMatchObject({ reason: "server-error" });
  });
}
