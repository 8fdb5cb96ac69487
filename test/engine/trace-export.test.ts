// Spans on their way: what a receiver says, and what becomes of them where it says nothing.
import { expect, setSystemTime, test } from "bun:test";
import { existsSync } from "node:fs";
import { traceChoice } from "../../src/engine/telemetry/target.ts";
import { TraceExport } from "../../src/engine/telemetry/trace-export.ts";
import { eventually } from "../harness.ts";
import { crashed, Inside, type TestBatch } from "../inside.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";

function exportOf(inside: Inside, batch: TestBatch, address: string, more: Record<string, string> = {}) {
  const target = traceChoice({ OTEL_EXPORTER_OTLP_ENDPOINT: address, ...more });
  if (target.kind !== "send") throw new Error(target.kind);
  const complaints: string[] = [];
  const traces = new TraceExport({
    target,
    state: () => batch.log.state,
    sentFile: inside.file("sent.json"),
    complain: (message) => void complaints.push(message),
    times: { gatherMs: 20, lastMs: 500 },
  });
  return { traces, complaints };
}

/** A batch of three tasks, which ended one after the other. */
function batchIn(inside: Inside): TestBatch {
  const batch = inside.batch(inside.context(), { tasks: 3 });
  for (const [task, at] of [1_000, 2_000, 3_000].entries()) {
    setSystemTime(new Date(Date.UTC(2126, 0, 1) + at));
    if (task === 1) batch.end(task + 1, crashed);
    else batch.answer(task + 1, "Done");
  }
  batch.finish();
  setSystemTime();
  return batch;
}

const numbers = (receiver: OtlpReceiver) =>
  receiver.spans.map(({ attributes }) => attributes["parallel_claude.task.number"]);

test("all of a batch comes in few requests, with headers and resource; a runner that follows sends only the rest", async () => {
  using inside = new Inside();
  await using receiver = new OtlpReceiver();
  const batch = batchIn(inside);
  const { traces, complaints } = exportOf(inside, batch, receiver.address, {
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x",
    OTEL_SERVICE_NAME: "nights",
  });
  for (const task of [1, 2]) traces.ended(task, 1);
  await traces.finish();
  expect(numbers(receiver)).toEqual([1, 2, undefined]);
  const [one, other] = receiver.requests;
  expect(one?.path).toBe("/v1/traces");
  expect(one?.headers.get("authorization")).toBe("Bearer x");
  expect(one?.headers.get("content-type")).toBe("application/json");
  expect(receiver.resources[0]).toMatchObject({ "service.name": "nights" });
  expect(other).toBeDefined();
  expect(receiver.requests).toHaveLength(2);
  // As a runner finds it that takes over from one which had sent two.
  const next = exportOf(inside, batch, receiver.address);
  next.traces.begin();
  await next.traces.finish();
  expect(numbers(receiver).slice(3)).toEqual([3, undefined]);
  expect(complaints).toEqual([]);
  // Nothing was noted: all are sent again, with the ids that they had.
  const before = receiver.spans;
  inside.write("sent.json", "no JSON");
  const last = exportOf(inside, batch, receiver.address);
  last.traces.begin();
  await last.traces.finish();
  const again = receiver.spans.slice(before.length);
  expect(again.map(({ spanId }) => spanId).sort()).toEqual(
    [...new Set(before.map(({ spanId }) => spanId))].sort(),
  );
  expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
});

test("what is refused for good is not sent again; the first refusal is said, without secrets", async () => {
  using inside = new Inside();
  await using receiver = new OtlpReceiver();
  const batch = batchIn(inside);
  for (const status of [500, 404, 401]) {
    receiver.requests.length = 0;
    receiver.answers.push(
      () => new Response("no", { status }),
      () => new Response("no", { status }),
    );
    const { traces, complaints } = exportOf(inside, batch, receiver.address, {
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret",
    });
    traces.ended(1, 1);
    await traces.finish();
    expect(numbers(receiver)).toEqual([1, undefined]);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain(`${receiver.address}/v1/traces: it answers ${status}`);
    expect(complaints[0]).not.toContain("secret");
  }
});

test("nothing that an endpoint says shows a secret, or acts in a terminal", async () => {
  using inside = new Inside();
  const batch = batchIn(inside);
  for (const [said, shown] of [
    // Bun's error for such an answer quotes the address.
    ["nonsense\r\n\r\n", "/v1/traces"],
    ["HTTP/1.1 500 \x9b2J\x9b31mred\r\ncontent-length: 0\r\n\r\n", "it answers 500 ("],
    [`HTTP/1.1 500 ${"long ".repeat(2_000)}\r\ncontent-length: 0\r\n\r\n`, "it answers 500 (long long"],
  ] as const) {
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(Buffer.from(said, "latin1")) },
    });
    const address = `http://me:secret@127.0.0.1:${server.port}`;
    const { traces, complaints } = exportOf(inside, batch, address, {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${address}/v1/traces?key=secret`,
    });
    await traces.finish();
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain(shown);
    expect(complaints[0]).not.toContain("secret");
    expect(complaints[0]).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    expect(complaints[0]?.length).toBeLessThan(500);
  }
});

test("of attempts that ended in the same moment, those of the next request are not taken for sent", async () => {
  using inside = new Inside();
  await using receiver = new OtlpReceiver();
  const count = 514;
  const batch = inside.batch(inside.context(), { tasks: count });
  setSystemTime(new Date(Date.UTC(2126, 0, 1)));
  for (let task = 1; task <= count; task++) batch.answer(task, "Done");
  batch.finish();
  setSystemTime();
  const { traces } = exportOf(inside, batch, receiver.address);
  receiver.answers.push(
    () => new Response(),
    () => new Response("", { status: 503 }),
  );
  for (let task = 1; task <= count; task++) traces.ended(task, 1);
  await traces.finish();
  receiver.requests.length = 0;
  const next = exportOf(inside, batch, receiver.address);
  next.traces.begin();
  await next.traces.finish();
  expect(numbers(receiver)).toContain(count);
});

test("what may pass leaves the spans where they are, for the next runner of the batch", async () => {
  using inside = new Inside();
  await using receiver = new OtlpReceiver();
  const batch = batchIn(inside);
  receiver.answers.push(() => new Response("", { status: 429, headers: { "retry-after": "7" } }));
  const { traces, complaints } = exportOf(inside, batch, receiver.address);
  traces.ended(1, 1);
  await traces.finish();
  expect(complaints).toEqual([
    `Traces could not be sent to ${receiver.address}/v1/traces: it answers 429 (Too Many Requests). The batch is not affected.`,
  ]);
  expect(existsSync(inside.file("sent.json"))).toBeFalse();
  // Nobody follows a redirection with the headers.
  receiver.answers.push(() => Response.redirect(`${receiver.address}/elsewhere`));
  const next = exportOf(inside, batch, receiver.address);
  next.traces.begin();
  await next.traces.finish();
  expect(receiver.requests.map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => "/v1/traces"));
  expect(next.complaints[0]).toContain("it answers 302");
});

test("an endpoint that is away, or takes a request and says nothing, is given up at the end, and said once", async () => {
  using inside = new Inside();
  const receiver = new OtlpReceiver();
  const { address } = receiver;
  const batch = batchIn(inside);
  {
    await using hanging = receiver;
    const { promise, resolve } = Promise.withResolvers<Response>();
    hanging.answers.push(() => promise);
    const { traces, complaints } = exportOf(inside, batch, address);
    for (const task of [1, 2, 3]) traces.ended(task, 1);
    await traces.finish();
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain("it did not answer before the batch had ended");
    expect(hanging.requests).toHaveLength(1);
    resolve(new Response());
  }
  const { traces, complaints } = exportOf(inside, batch, address);
  traces.ended(1, 1);
  await traces.finish();
  await traces.finish();
  expect(complaints).toHaveLength(1);
  // What is sent while it runs waits for others, and its process for nobody.
  await using later = new OtlpReceiver();
  const own = exportOf(inside, batch, later.address);
  own.traces.begin();
  await eventually(
    () => later.spans.length >= 3,
    () => "no spans came",
  );
  own.traces[Symbol.dispose]();
  expect(numbers(later)).toEqual([1, 2, 3]);
});
