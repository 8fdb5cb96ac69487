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

const rejected = (info: object) => ({
  type: "rate_limit_event",
  rate_limit_info: { status: "rejected", ...info },
});
const synthetic = (error: string, text: string) => ({
  type: "assistant",
  error,
  message: { model: "<synthetic>", content: [{ type: "text", text }] },
});
const failedResult = (text: string, status: number | null) => ({
  type: "result",
  subtype: "success",
  is_error: true,
  api_error_status: status,
  result: text,
});
const linesIn = (messages: object[]) => messages.map((message) => `${JSON.stringify(message)}\n`).join("");
/** What a session comes to whose last call was refused so. */
const refused = (kind: string, status: number | null, text: string, before: object[] = []) =>
  outcomeFor(linesIn([...before, synthetic(kind, text), failedResult(text, status)]));

const passedOn = [
  "API Error: Request rejected (429)",
  "API Error: Server is temporarily limiting requests (not your usage limit)",
];
const throttleWords = [
  `messages.0: the text "You've hit your session limit · resets 9pm (UTC)" is not allowed so often`,
  "You've hit your session limit · resets 9pm (UTC)",
  "You have reached your rate limit of 50 requests per minute",
  "You've hit your concurrent requests limit. Please slow down.",
  "Token usage limit reached, try again in 20 seconds",
  "usage limit reached for tpm, retry",
  "tool said: You're out of usage credits",
  "tool said: spend limit reached · resets Nov 25",
  "Fable 5 requires usage credits. Switch to another model to continue.",
];
for (const words of throttleWords) {
  test(`a message that the CLI passes on with a 429 is a throttle, whatever it quotes: ${words}`, () => {
    for (const prefix of passedOn)
      expect(refused("rate_limit", 429, `${prefix} · ${words}`)).toMatchObject({ reason: "rate-limit" });
  });
}

test("a gateway's own words for limits of calls are a throttle, also where the CLI puts nothing before them", () => {
  for (const words of ["You've hit your concurrent requests limit", "You've reached your rate limit"])
    expect(refused("rate_limit", 429, words)).toMatchObject({ reason: "rate-limit" });
});

const requestWords = [
  "output_config.schema: unknown keyword in property 'monthly spend limit'",
  "messages.1.content.0.text: 'we ran out of usage examples' is empty",
  'messages.1.content.0.text: "You\'re out of extra usage" is empty',
  "tools.3.description: 'fails when this organization has been disabled' is too long",
  "tools.3.description: 'Your account is on hold' is too long",
];
for (const words of requestWords) {
  test(`a request that the API finds wrong holds nothing, whatever it quotes: ${words}`, () => {
    expect(refused("invalid_request", 400, `API Error: 400 ${words}`)).toMatchObject({ reason: "request" });
  });
}

test("an error without a status holds nothing by the words in it", () => {
  for (const text of ["My task mentions a spend limit", "You're out of usage credits, says the file"])
    expect(refused("unknown", null, text)).toMatchObject({ reason: "execution" });
  const text = "API Error: Connection error. out of usage";
  expect(refused("server_error", null, text)).toMatchObject({ reason: "connection" });
});

test("a refusal of one model is no login that does not work", () => {
  const words = "Your API key has no access to the model claude-x";
  for (const [status, prefix] of [
    [403, "Failed to authenticate. API Error: 403"],
    [401, "Failed to authenticate. API Error: 401"],
  ] as const)
    expect(refused("authentication_failed", status, `${prefix} ${words}`)).toMatchObject({ reason: "model" });
});

const otherFailures: [kind: string, status: number, reason: string][] = [
  ["invalid_request", 400, "request"],
  ["server_error", 500, "server-error"],
  ["server_error", 529, "overloaded"],
  ["authentication_failed", 401, "auth"],
];
for (const [kind, status, reason] of otherFailures) {
  test(`the limit that a subagent met is none of a later failure of its own kind: ${status}`, () => {
    for (const info of [
      { rateLimitType: "five_hour" },
      { rateLimitType: "seven_day" },
      { rateLimitType: "seven_day_opus" },
      { overageStatus: "rejected", overageDisabledReason: "out_of_credits" },
    ]) {
      const event = rejected({ ...info, resetsAt: sampleNow / 1000 + 3_600 });
      const outcome = refused(kind, status, `API Error: ${status} broken`, [event]);
      expect(outcome).toMatchObject({ reason });
      expect(outcome).not.toHaveProperty("limitType");
      expect(outcome).not.toHaveProperty("resetsAt");
    }
  });
}

test("a reply ends what an event before it refused: a throttle after it is a throttle", () => {
  const reply = { type: "assistant", message: { model: "m", content: [{ type: "text", text: "ok" }] } };
  const before = [rejected({ rateLimitType: "five_hour", resetsAt: sampleNow / 1000 + 3_600 }), reply];
  const text = `${passedOn[1]} · slow down`;
  expect(refused("rate_limit", 429, text, before)).toMatchObject({ reason: "rate-limit" });
});

test("why there is no usage beyond the plan counts only where the CLI found it out", () => {
  const of = (overageDisabledReason: string) =>
    refused("rate_limit", 429, "API Error: Request rejected (429)", [rejected({ overageDisabledReason })]);
  expect(of("out_of_credits")).toMatchObject({ reason: "billing" });
  for (const unknown of ["fetch_error", "unknown"])
    expect(of(unknown)).toMatchObject({ reason: "rate-limit" });
});

test("of the resets of a plan and of usage beyond it, the earlier one that is ahead counts", () => {
  const at = (resetsAt: number, overageResetsAt: number) => {
    const info = { rateLimitType: "five_hour", resetsAt, overageResetsAt };
    const before = [
      rejected({
        ...info,
        resetsAt: sampleNow / 1000 + resetsAt,
        overageResetsAt: sampleNow / 1000 + overageResetsAt,
      }),
    ];
    const outcome = refused("rate_limit", 429, "You've hit your session limit", before);
    return outcome.kind === "failed" && ((outcome.resetsAt ?? 0) - sampleNow) / 1000;
  };
  expect([at(7_200, 3_600), at(3_600, 7_200), at(-60, 3_600), at(3_600, -60), at(-60, -120)]).toEqual([
    3_600, 3_600, 3_600, 3_600, -60,
  ]);
});

test("a reset that a gateway gives in milliseconds is the time that it means", () => {
  const event = rejected({ rateLimitType: "five_hour", resetsAt: sampleNow + 3_600_000 });
  expect(refused("rate_limit", 429, "You've hit your session limit", [event])).toMatchObject({
    resetsAt: sampleNow + 3_600_000,
  });
});
