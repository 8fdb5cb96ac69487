import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LineCutter } from "../../src/claude/lines.ts";
import { type Ending, type Exit, outcomeOf } from "../../src/claude/outcome.ts";
import { applyLine, newReading, type Reading } from "../../src/claude/reading.ts";
import { usageOf } from "../../src/claude/usage.ts";

const recordings = join(import.meta.dir, "..", "fixtures", "recorded");

function readRecording(name: string): Reading {
  return readBytes(readFileSync(join(recordings, `${name}.ndjson`)));
}

function readBytes(bytes: Uint8Array): Reading {
  const reading = newReading();
  const cutter = new LineCutter();
  for (const line of cutter.push(bytes)) applyLine(reading, line);
  const rest = cutter.end();
  if (rest) applyLine(reading, rest);
  return reading;
}

const now = Date.UTC(2026, 10, 22, 20, 0);

function outcomeFor(
  reading: Reading,
  more: { exit?: Exit; ending?: Ending; structured?: boolean; stderrTail?: string } = {},
) {
  return outcomeOf({
    reading,
    stderrTail: "",
    structured: false,
    slashCommands: false,
    now,
    exit: { code: 0 },
    ...more,
  });
}

/** What each recording of the real CLI comes to, with the exit code that it had. */
const table: [recording: string, exit: Exit, outcome: object][] = [
  ["success-stream", { code: 0 }, { kind: "succeeded" }],
  ["tool-bash", { code: 0 }, { kind: "succeeded" }],
  ["tool-bash-fails", { code: 0 }, { kind: "succeeded" }],
  ["tool-denied-write", { code: 0 }, { kind: "succeeded" }],
  ["subagent", { code: 0 }, { kind: "succeeded" }],
  ["background-bash", { code: 0 }, { kind: "succeeded", offset: 7_574, earlierOffsets: [3_836] }],
  ["error-429-retry-after-1-recovers", { code: 0 }, { kind: "succeeded" }],
  ["error-529-recovers", { code: 0 }, { kind: "succeeded" }],
  ["fallback-overloaded", { code: 0 }, { kind: "succeeded" }],
  ["rate-limit-event", { code: 0 }, { kind: "succeeded" }],
  ["error-400", { code: 1 }, { kind: "failed", reason: "request" }],
  ["error-401-api-key", { code: 1 }, { kind: "failed", reason: "auth" }],
  [
    "error-not-logged-in",
    { code: 1 },
    { kind: "failed", reason: "auth", message: "Not logged in · Please run /login" },
  ],
  ["error-429", { code: 1 }, { kind: "failed", reason: "rate-limit" }],
  ["error-429-retry-after-61", { code: 1 }, { kind: "failed", reason: "rate-limit" }],
  [
    "rate-limit-rejected",
    { code: 1 },
    { kind: "failed", reason: "usage-limit", resetsAt: 1_895_346_000_000, limitType: "five_hour" },
  ],
  ["error-500", { code: 1 }, { kind: "failed", reason: "server-error" }],
  ["error-529", { code: 1 }, { kind: "failed", reason: "overloaded" }],
  ["error-connection-refused", { code: 1 }, { kind: "failed", reason: "connection" }],
  ["error-connection-cut", { code: 1 }, { kind: "failed", reason: "connection" }],
  ["error-timeout", { code: 1 }, { kind: "failed", reason: "connection" }],
  ["error-after-tool", { code: 1 }, { kind: "failed" }],
  [
    "max-turns",
    { code: 1 },
    { kind: "failed", reason: "max-turns", message: "Reached maximum number of turns (2)" },
  ],
  ["max-output-tokens", { code: 1 }, { kind: "failed", reason: "output-limit" }],
  ["refusal", { code: 1 }, { kind: "failed", reason: "refusal" }],
  ["slash-unknown", { code: 0 }, { kind: "failed", reason: "request" }],
  ["sigint-in-bash", { code: 1 }, { kind: "failed", reason: "interrupted" }],
  ["sigint-while-streaming", { code: 0 }, { kind: "failed", reason: "interrupted" }],
  ["sigterm-in-bash", { code: 143 }, { kind: "crashed", exitCode: 143 }],
  ["stream-input-interrupt-bash.out", { code: 1 }, { kind: "failed", reason: "interrupted" }],
];

describe("what the real CLI printed", () => {
  for (const [recording, exit, outcome] of table) {
    test(`${recording} with ${JSON.stringify(exit)}`, () => {
      expect(outcomeFor(readRecording(recording), { exit })).toMatchObject(outcome);
    });
  }

  test("every recording of an ended session is understood", () => {
    for (const name of new Bun.Glob("*.ndjson").scanSync(recordings)) {
      if (name.includes(".in.")) continue;
      expect(() => outcomeFor(readRecording(name.replace(/\.ndjson$/, "")))).not.toThrow();
    }
  });
});

test("structured output comes back as data, and its absence is a failure", () => {
  expect(outcomeFor(readRecording("structured"), { structured: true })).toMatchObject({
    kind: "succeeded",
    structured: expect.anything(),
  });
  expect(outcomeFor(readRecording("structured-never"), { structured: true })).toMatchObject({
    reason: "schema",
  });
});

test("a good answer with a bad exit is a success that says so", () => {
  const outcome = outcomeFor(readRecording("success-stream"), { exit: { code: 1 } });
  expect(outcome).toMatchObject({ kind: "succeeded", remark: expect.stringContaining("exit code 1") });
});

test("exit 0 without a result is a crash", () => {
  expect(outcomeFor(newReading(), { exit: { code: 0 }, stderrTail: "oops" })).toEqual({
    kind: "crashed",
    exitCode: 0,
    stderrTail: "oops",
  });
});

test("an adopted session, whose exit nobody saw, is judged by its transcript", () => {
  const reading = readRecording("success-stream");
  expect(outcomeOf({ reading, stderrTail: "", structured: false, slashCommands: false, now })).toMatchObject({
    kind: "succeeded",
  });
});

test("our own reason for the end comes before what the interrupted session says", () => {
  const ending = { kind: "timed-out", clock: "idle", afterMs: 5 } as const;
  expect(outcomeFor(readRecording("stream-input-interrupt-bash.out"), { ending })).toEqual(ending);
});

test("an answer that was complete before we cancelled is kept", () => {
  const ending = { kind: "cancelled", by: "user" } as const;
  expect(outcomeFor(readRecording("success-stream"), { ending })).toMatchObject({ kind: "succeeded" });
});

test("cost and tokens come from the last result, sub-agents and background tasks included", () => {
  const usage = usageOf(readRecording("background-bash"), 10);
  const last =
    readFileSync(join(recordings, "background-bash.ndjson"), "utf8").trim().split("\n").at(-1) ?? "";
  expect(usage.costUsd).toBe(JSON.parse(last).total_cost_usd);
  expect(usage.apiKeySource).toBe("ANTHROPIC_API_KEY");
});

test("a session that called the API and left without a result has cost at least something", () => {
  expect(usageOf(readRecording("sigterm-in-bash"), 10)).toMatchObject({ costUsd: 0, atLeast: true });
});

test("a denied tool comes with what lets it through", () => {
  expect(usageOf(readRecording("tool-denied-write"), 1).denials).toEqual([
    {
      tool: "Write",
      rule: "Write",
      remedy: { kind: "options", permissionMode: "acceptEdits" },
    },
  ]);
  expect(usageOf(readRecording("tool-denied-bash"), 1).denials?.[0]?.rule).toBe("Bash(npm test:*)");
});

const lastLine = () =>
  readFileSync(join(recordings, "success-stream.ndjson"), "utf8").trim().split("\n").at(-1) ?? "";

// The order of the fields differs between versions of the CLI: `type` came first in 2.1.197 and stands near the
// end in 2.1.330.
for (const [order, arrange] of [
  ["as recorded", (result: object) => result],
  ["reversed", (result: object) => Object.fromEntries(Object.entries(result).reverse())],
] as const) {
  test(`a result line of 50 MB is a success whose length and cost are known, its fields ${order}`, () => {
    const result: Record<string, unknown> = JSON.parse(lastLine());
    const text = `${'quoted \\" ","stop_reason": end\\n'.repeat(10)}${"x".repeat(50_000_000)}`;
    const denials = [
      { tool_name: "Write", tool_input: { result: "no answer", content: '{"result":"nor this' } },
    ];
    const big = JSON.stringify(arrange({ ...result, permission_denials: denials, result: text }));
    const reading = readBytes(Buffer.from(`${big}\n`));
    expect(outcomeFor(reading)).toMatchObject({
      kind: "succeeded",
      offset: 0,
      length: JSON.stringify(text).length - 2,
    });
    expect(usageOf(reading, 1)).toMatchObject({
      costUsd: Number(result["total_cost_usd"]),
      denials: [{ tool: "Write" }],
    });
  });
}

test("what a session is doing is told in a few words", () => {
  expect(readRecording("tool-bash").lastText).toBeString();
  const started = readBytes(
    readFileSync(join(recordings, "tool-bash.ndjson")).subarray(0, cutAfterToolUse()),
  );
  expect(started.activity).toMatch(/^Bash \S+/);
});

function cutAfterToolUse(): number {
  const text = readFileSync(join(recordings, "tool-bash.ndjson"), "latin1");
  return text.indexOf("\n", text.indexOf('"tool_use"')) + 1;
}
