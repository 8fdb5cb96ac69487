// Where traces are sent, by OpenTelemetry's variables and our setting.
import { expect, test } from "bun:test";
import { type TraceChoice, traceChoice } from "../../src/engine/telemetry/target.ts";

const sent = (choice: TraceChoice) => {
  if (choice.kind !== "send") throw new Error(choice.kind);
  return choice;
};
const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };

test("without an endpoint, or switched off, nothing is sent", () => {
  for (const environment of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: " " },
    { ...base, OTEL_SDK_DISABLED: "true" },
    { ...base, OTEL_TRACES_EXPORTER: "none" },
    { ...base, OTEL_TRACES_EXPORTER: "console" },
  ])
    expect(traceChoice(environment)).toEqual({ kind: "none" });
  expect(traceChoice({ OTEL_SDK_DISABLED: "TRUE" }, "http://127.0.0.1:4318")).toEqual({ kind: "none" });
});

test("the path is added to an endpoint for everything, and not to one for traces; our setting comes first", () => {
  const url = (environment: Record<string, string>, configured?: string) =>
    sent(traceChoice(environment, configured)).url;
  expect(url(base)).toBe("http://127.0.0.1:4318/v1/traces");
  expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://a.example/otel/" })).toBe(
    "https://a.example/otel/v1/traces",
  );
  const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://b.example/here" };
  expect(url({ ...base, ...traces })).toBe("https://b.example/here");
  expect(url({ ...base, ...traces }, "http://c.example:1")).toBe("http://c.example:1/v1/traces");
  // Those variables are about other programs then.
  expect(url({ OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "http://c.example")).toBe(
    "http://c.example/v1/traces",
  );
  expect(url({ ...base, OTEL_TRACES_EXPORTER: "console, otlp" })).toBe("http://127.0.0.1:4318/v1/traces");
});

test("headers, attributes and time are those of the variables, with what is for traces alone first", () => {
  const { headers, resource, timeoutMs } = sent(
    traceChoice({
      ...base,
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20one=, x-team = a%2Cb ,bad,=worse,odd=100%",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment.name=night",
      OTEL_SERVICE_NAME: "mine",
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "1500",
    }),
  );
  expect(headers).toEqual({ authorization: "Bearer one=", "x-team": "a,b", odd: "100%" });
  expect(resource).toMatchObject({ "service.name": "mine", "deployment.environment.name": "night" });
  expect(timeoutMs).toBe(1_500);
  const own = sent(
    traceChoice({
      ...base,
      OTEL_EXPORTER_OTLP_HEADERS: "a=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=2",
      OTEL_EXPORTER_OTLP_TIMEOUT: "soon",
    }),
  );
  expect(own).toMatchObject({ headers: { b: "2" }, timeoutMs: 10_000 });
});

test("what is shown of an endpoint has neither a password nor a query", () => {
  const choice = sent(
    traceChoice({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://me:s%20cret@a.example/v1/traces?key=secret" }),
  );
  expect(choice.shown).toBe("https://a.example/v1/traces");
  expect(choice.url).toBe("https://a.example/v1/traces?key=secret");
  expect(choice.headers).toEqual({ authorization: `Basic ${btoa("me:s cret")}` });
});

test("gRPC and other addresses cannot be used, and what to do about it is said", () => {
  const grpc = traceChoice({ ...base, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
  expect(grpc).toMatchObject({ kind: "unusable", because: expect.stringContaining("gRPC") });
  expect(traceChoice({ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4317" })).toMatchObject({ kind: "unusable" });
  expect(
    traceChoice({
      ...base,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
    }),
  ).toMatchObject({ kind: "send" });
});
