// The trace of a batch as spans, and their encoding.
import { expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import type { BatchState } from "../../src/model/state.ts";
import { spanContextFrom, startContext, traceparentOf } from "../../src/model/trace.ts";
import { tracesRequest } from "../../src/report/telemetry/otlp.ts";
import { attemptSpan, batchSpan, errorTypeOf } from "../../src/report/telemetry/span.ts";
import { batchState, began, failures, identity, succeeded, usage } from "./samples.ts";

const tokens = { input: 10, output: 4, cacheRead: 300, cacheWritten: 20 };
const started = (task: number, attempt: number, more: object = {}): EventBody => ({
  type: "attempt-started",
  task,
  attempt,
  identity,
  sessionId: `session-${task}-${attempt}`,
  startName: `start-${task}-${attempt}`,
  transcript: "/t",
  ...more,
});
const done: EventBody[] = [
  started(1, 1),
  {
    type: "attempt-ended",
    task: 1,
    attempt: 1,
    outcome: { kind: "failed", reason: "overloaded", message: "a secret answer" },
    retryAt: began,
  },
  started(1, 2),
  {
    type: "attempt-ended",
    task: 1,
    attempt: 2,
    outcome: succeeded,
    usage: usage({ models: { opus: tokens, haiku: { ...tokens, output: 1 } } }),
  },
  { type: "batch-ended" },
];

function sampleBatch(more: Partial<BatchState["batch"]> = {}): BatchState {
  const state = batchState(["a secret prompt"], done, "nightly");
  Object.assign(state.batch, more);
  return state;
}

test("each attempt is a span of the batch's trace, with the names of OpenTelemetry's conventions", () => {
  const state = sampleBatch();
  const whole = batchSpan(state);
  expect(whole).toMatchObject({
    parent: undefined,
    name: "invoke_workflow",
    startedAt: began,
    endedAt: began + 5_000,
    hasFailed: false,
  });
  expect(whole.attributes).toMatchObject({
    "gen_ai.workflow.name": "nightly",
    "parallel_claude.batch.end": "succeeded",
    "parallel_claude.tasks.succeeded": { whole: 1 },
    "gen_ai.usage.input_tokens": { whole: 660 },
  });
  const [first, second] = [attemptSpan(state, 1, 1), attemptSpan(state, 1, 2)];
  expect([first?.parent, second?.parent]).toEqual([whole.context.spanId, whole.context.spanId]);
  expect([first?.context.traceId, second?.context.traceId]).toEqual(
    Array.from({ length: 2 }, () => whole.context.traceId),
  );
  expect(first).toMatchObject({
    startedAt: began + 1_000,
    endedAt: began + 2_000,
    hasFailed: true,
    attributes: { "error.type": "overloaded", "gen_ai.conversation.id": "session-1-1" },
  });
  expect(second).toMatchObject({
    hasFailed: false,
    attributes: {
      "gen_ai.provider.name": "anthropic",
      "gen_ai.response.model": "opus",
      "gen_ai.usage.input_tokens": { whole: 660 },
      "gen_ai.usage.output_tokens": { whole: 5 },
      "gen_ai.usage.cache_read.input_tokens": { whole: 600 },
      "parallel_claude.cost_usd": 0.0123,
    },
  });
  expect(attemptSpan(state, 1, 3)).toBeUndefined();
  // Neither what was asked, nor what was answered or complained about.
  expect(tracesRequest([whole, ...(first ? [first] : []), ...(second ? [second] : [])], {})).not.toContain(
    "secret",
  );
});

test("ids are the same whoever makes them, and those of different attempts differ", () => {
  const [one, other] = [sampleBatch(), sampleBatch()];
  expect(batchSpan(other).context).toEqual(batchSpan(one).context);
  const spans = [1, 2].map((attempt) => attemptSpan(one, 1, attempt)?.context.spanId);
  expect([1, 2].map((attempt) => attemptSpan(other, 1, attempt)?.context.spanId)).toEqual(spans);
  expect(new Set([batchSpan(one).context.spanId, ...spans]).size).toBe(3);
  expect(spans[1]).toBe(startContext(one, "start-1-2").spanId);
  // A process that had run another task has its span already.
  const reused = batchState(
    ["a"],
    [started(1, 1, { startName: "start-1-2", offset: 5 }), ...done.slice(3, 4)],
  );
  expect(attemptSpan(reused, 1, 1)).toBeUndefined();
  const again = batchState(
    ["a"],
    [
      started(1, 1, { startName: "start-1-2", offset: 5 }),
      { type: "attempt-ended", task: 1, attempt: 1, outcome: succeeded },
    ],
  );
  expect(attemptSpan(again, 1, 1)?.context.spanId).not.toBe(startContext(again, "start-1-2").spanId);
});

test("a batch that was started within a span is a part of it, and what runs again is a part of the batch", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const within = spanContextFrom(traceparent);
  expect(within && traceparentOf(within)).toBe(traceparent);
  const state = sampleBatch(within ? { within } : {});
  const whole = batchSpan(state);
  expect(whole).toMatchObject({
    parent: "b7ad6b7169203331",
    context: { traceId: "0af7651916cd43dd8448eb211c80319c" },
  });
  const later = batchSpan(state, { epoch: 1, at: began + 2_500 });
  expect(later).toMatchObject({ parent: whole.context.spanId, startedAt: began + 3_000 });
  expect(later.context.spanId).not.toBe(whole.context.spanId);
  expect(batchSpan(state, { epoch: 2, at: began }).context.spanId).not.toBe(later.context.spanId);
});

test("a variable that names no span is none", () => {
  for (const text of [undefined, "", "no", `00-${"0".repeat(32)}-b7ad6b7169203331-01`, "00-1-2-01"])
    expect(spanContextFrom(text)).toBeUndefined();
  expect(spanContextFrom("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-00")?.isSampled).toBeFalse();
});

test("every way to end has one word, and none is taken from a message", () => {
  expect(failures.map(errorTypeOf)).toEqual([
    "auth",
    "usage-limit",
    "max-turns",
    "crashed",
    "crashed",
    "timed-out-idle",
    "cancelled-client",
    "not-started",
  ]);
  expect(errorTypeOf(succeeded)).toBeUndefined();
});

test("in OTLP's JSON, times and whole numbers are text, and what is not known is left out", () => {
  const text = tracesRequest([batchSpan(sampleBatch({ name: undefined }))], { "service.name": "s" });
  const { resourceSpans } = JSON.parse(text);
  expect(resourceSpans).toHaveLength(1);
  expect(resourceSpans[0].resource.attributes).toEqual([
    { key: "service.name", value: { stringValue: "s" } },
  ]);
  const [span] = resourceSpans[0].scopeSpans[0].spans;
  expect(span).toMatchObject({
    startTimeUnixNano: `${began}000000`,
    endTimeUnixNano: `${began + 5_000}000000`,
    kind: 1,
    status: {},
  });
  expect(span.traceId).toMatch(/^[\da-f]{32}$/);
  expect(span.spanId).toMatch(/^[\da-f]{16}$/);
  expect(span).not.toHaveProperty("parentSpanId");
  expect(span.attributes).toContainEqual({
    key: "parallel_claude.tasks.total",
    value: { intValue: "1" },
  });
  expect(span.attributes.map(({ key }: { key: string }) => key)).not.toContain("gen_ai.workflow.name");
  expect(JSON.parse(tracesRequest([], {}))).toEqual({ resourceSpans: [] });
});
