// A batch as a trace, from its processes to a receiver.
import { expect, test } from "bun:test";
import { OtlpReceiver } from "./engine/otlp-receiver.ts";
import { eventually, Home, kill, run } from "./harness.ts";
import { RawClient, tasksExtension } from "./raw-client.ts";
import { untilKept, untilRunning } from "./running.ts";

const within = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

test("a batch is a span in the trace around it, each attempt one below, and sessions know theirs", async () => {
  await using receiver = new OtlpReceiver();
  await using home = new Home({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.address,
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=very-secret",
    TRACEPARENT: `00-${within.traceId}-${within.spanId}-01`,
  });
  const prompts = ["[[env name=TRACEPARENT]]", "[[env name=TRACEPARENT]] ", "[[exit code=3]]"];
  const ran = await run(home, ["run", ...prompts, "--retries", "0", "--json"]);
  expect(ran.code).toBe(1);
  const { results } = JSON.parse(ran.out);
  const whole = receiver.spans.find(({ name }) => name === "invoke_workflow");
  const attempts = receiver.spans.filter(({ name }) => name === "invoke_agent claude-code");
  expect(whole).toMatchObject({
    ...{ traceId: within.traceId, parentSpanId: within.spanId },
    attributes: { "parallel_claude.tasks.total": 3, "parallel_claude.batch.end": "failed" },
    status: { code: 2 },
  });
  expect(receiver.spans).toHaveLength(4);
  for (const { traceId, parentSpanId } of attempts)
    expect({ traceId, parentSpanId }).toEqual({ traceId: within.traceId, parentSpanId: whole?.spanId });
  const spanOf = (task: number) =>
    attempts.find(({ attributes }) => attributes["parallel_claude.task.number"] === task);
  for (const task of [1, 2])
    expect(results[task - 1].result).toBe(`00-${within.traceId}-${spanOf(task)?.spanId}-01`);
  expect(spanOf(3)).toMatchObject({
    status: { code: 2 },
    attributes: { "parallel_claude.attempt.outcome": "crashed" },
  });
  expect(spanOf(1)).toMatchObject({
    status: {},
    attributes: { "parallel_claude.attempt.outcome": "succeeded" },
  });
  expect(receiver.requests[0]?.headers.get("x-key")).toBe("very-secret");
  expect(receiver.requests.map(({ text }) => text).join()).not.toContain("[[env");
  // Doctor asks the endpoint, and shows no secret.
  const looked = await run(home, ["doctor"]);
  expect(looked.out).toContain(`Sent to ${receiver.address}/v1/traces, which takes them.`);
  expect(looked.out + looked.err).not.toContain("very-secret");
  // Without an endpoint, sessions inherit what is around them, and nobody is asked.
  const asked = receiver.requests.length;
  home.set({ OTEL_EXPORTER_OTLP_ENDPOINT: "" });
  const quiet = await run(home, ["run", "[[env name=TRACEPARENT]]", "--json"]);
  expect(JSON.parse(quiet.out).results[0].result).toBe(`00-${within.traceId}-${within.spanId}-01`);
  expect(receiver.requests).toHaveLength(asked);
});

test("a runner that takes over sends the same trace; what somebody retries later is one more part of it", async () => {
  await using receiver = new OtlpReceiver();
  // As an operator sets it, for whatever process runs the batch.
  await using home = new Home({ PARALLEL_CLAUDE_OTLP_ENDPOINT: receiver.address });
  const gate = home.file("gate");
  const [quick, slow] = [
    "[[env name=TRACEPARENT]]",
    `[[wait-for-file path=${gate}]] [[env name=TRACEPARENT]]`,
  ];
  const started = await run(home, ["run", quick, slow, "[[exit code=3]]", "--retries", "0", "--detach"]);
  expect(started.code).toBe(0);
  // Two have ended, and the third runs.
  const row = await untilRunning(home);
  await eventually(
    () => (row && storeRow(home)?.counts.queued) === 0 && storeRow(home)?.counts.running === 1,
    () => JSON.stringify(storeRow(home)),
  );
  const [, runner] = await untilKept(home);
  await kill(runner);
  await Bun.write(gate, "");
  await run(home, ["wait", "latest"]);
  const names = () => receiver.spans.map(({ name }) => name);
  await eventually(
    () => names().includes("invoke_workflow"),
    () => `only ${JSON.stringify(names())}`,
  );
  const ids = receiver.spans.map(({ spanId }) => spanId);
  // Those that were on their way when the runner was killed may have come twice, with their ids.
  expect(new Set(ids).size).toBe(4);
  expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
  const shown = await run(home, ["results", "latest", "--json"]);
  const spanOf = (task: number) =>
    receiver.spans.find(({ attributes }) => attributes["parallel_claude.task.number"] === task);
  const { results } = JSON.parse(shown.out);
  for (const task of [1, 2])
    expect(results[task - 1].result).toBe(`00-${spanOf(task)?.traceId}-${spanOf(task)?.spanId}-01`);
  await run(home, ["retry", "latest"]);
  await run(home, ["wait", "latest"]);
  await eventually(
    () => names().includes("invoke_workflow (again)"),
    () => `only ${JSON.stringify(names())}`,
  );
  const again = receiver.spans.filter(({ name }) => name === "invoke_workflow (again)");
  const whole = receiver.spans.find(({ name }) => name === "invoke_workflow");
  expect(again).toHaveLength(1);
  expect(again[0]).toMatchObject({ traceId: whole?.traceId ?? "", parentSpanId: whole?.spanId ?? "" });
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(6);
});

test("a call of a client that is traced starts a batch in its trace, whether it waits for it or gets a task", async () => {
  await using receiver = new OtlpReceiver();
  // That of the server's own start says nothing about a call.
  const elsewhere = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
  await using home = new Home({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.address, TRACEPARENT: elsewhere });
  const meta = { traceparent: `00-${within.traceId}-${within.spanId}-01` };
  await using client = new RawClient(home, { meta });
  await client.call("spawn_claude_session", { task: "[[answer text=Yes]]" });
  await client.call("spawn_claude_session", { task: "[[answer text=No]]" }, { [tasksExtension]: {} });
  const batches = () => receiver.spans.filter(({ name }) => name === "invoke_workflow");
  await eventually(
    () => batches().length === 2,
    () => `only ${receiver.spans.length} spans`,
  );
  for (const { traceId, parentSpanId } of batches())
    expect({ traceId, parentSpanId }).toEqual({ traceId: within.traceId, parentSpanId: within.spanId });
});

test("a batch whose endpoint is away ends as any other, says so once, and doctor says what to do", async () => {
  const receiver = new OtlpReceiver();
  const { address } = receiver;
  await receiver[Symbol.asyncDispose]();
  await using home = new Home({ OTEL_EXPORTER_OTLP_ENDPOINT: address });
  const ran = await run(home, ["run", "[[answer text=Yes]]", "[[answer text=No]]", "--json"]);
  expect(ran.code).toBe(0);
  expect(ran.err.split("\n").filter((line) => line.startsWith("Traces could not be sent"))).toHaveLength(1);
  const looked = await run(home, ["doctor", "--json"]);
  const found = JSON.parse(looked.out).findings.find(({ name }: { name: string }) => name === "traces");
  expect(found).toMatchObject({ ok: true, remedy: expect.stringContaining("otlpEndpoint") });
  expect(found.detail).toContain("does not take them now");
});

function storeRow(home: Home) {
  using store = home.store();
  return store.list({ limit: 1 })[0];
}
