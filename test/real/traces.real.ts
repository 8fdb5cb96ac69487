// The trace of a batch, with what the real `claude` sends of its sessions below. `bun run test:real`.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { OtlpReceiver } from "../engine/otlp-receiver.ts";
import { Home, run } from "../harness.ts";
import { type MessagesApi, startMessagesApi } from "./messages-api.ts";
import { claude, describeReal, setPatience } from "./version.ts";

setPatience(120_000);

describeReal("the trace of a batch on the real claude", () => {
  let api: MessagesApi;
  beforeAll(() => {
    api = startMessagesApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  test("has what Claude Code sends of each session below the span of its attempt", async () => {
    await using receiver = new OtlpReceiver();
    await using home = new Home({
      PARALLEL_CLAUDE_CLAUDE_PATH: claude?.path ?? "",
      DISABLE_AUTOUPDATER: "1",
      ...api.environment,
      CLAUDE_CODE_ENABLE_TELEMETRY: "1",
      CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: "1",
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.address,
    });
    const ran = await run(home, ["run", "hello", "world", "--json"]);
    expect(ran.code).toBe(0);
    const { spans } = receiver;
    const whole = spans.find(({ name }) => name === "invoke_workflow");
    const attempts = spans.filter(({ name }) => name === "invoke_agent claude-code");
    const interactions = spans.filter(({ name }) => name === "claude_code.interaction");
    expect(attempts).toHaveLength(2);
    expect(interactions.map(({ parentSpanId }) => parentSpanId).sort()).toEqual(
      attempts.map(({ spanId }) => spanId).sort(),
    );
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([whole?.traceId ?? ""]));
    const requests = spans.filter(({ name }) => name === "claude_code.llm_request");
    expect(requests.length).toBeGreaterThanOrEqual(2);
  });
});
