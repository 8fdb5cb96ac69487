// Where traces are sent: by OpenTelemetry's own variables, and by our setting, which wins.
import { product } from "../../model/product.ts";
import type { Environment } from "../../platform/environment.ts";
import type { Attributes } from "../../report/telemetry/span.ts";

/** Where to send traces, and how. */
export interface TraceTarget {
  /** With what it may contain of a secret. */
  url: string;
  /** For people: without that. */
  shown: string;
  /** Secret. */
  headers: Record<string, string>;
  /** How long a request may take, in milliseconds. */
  timeoutMs: number;
  /** What is known about the sender. */
  resource: Attributes;
}

export type TraceChoice =
  /** Nobody asked for traces, or somebody switched them off. */
  | { kind: "none" }
  /** What was asked for cannot be done. In words for people. */
  | { kind: "unusable"; because: string; remedy: string }
  | ({ kind: "send" } & TraceTarget);

const usualTimeoutMs = 10_000;
/** A longer one is as long as this: nobody waits for an answer to a span for more than an hour. */
const longestTimeoutMs = 3_600_000;
/** The end of the address at which an endpoint takes traces. */
const tracesPath = "v1/traces";

/** Whether and where to send traces. `configured`: the setting `otlpEndpoint`. */
export function traceChoice(environment: Environment, configured?: string): TraceChoice {
  const given = (name: string) => environment[name]?.trim() || undefined;
  /** The variable for traces alone, or else that for everything that is sent. */
  const exporter = (name: string) =>
    given(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? given(`OTEL_EXPORTER_OTLP_${name}`);
  if (given("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return { kind: "none" };
  const exporters = given("OTEL_TRACES_EXPORTER")?.split(",") ?? ["otlp"];
  const isElsewhere = !exporters.map((name) => name.trim()).includes("otlp");
  const base = configured ?? given("OTEL_EXPORTER_OTLP_ENDPOINT");
  const whole = configured === undefined ? given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") : undefined;
  const address = whole ?? base;
  if (address === undefined || (configured === undefined && isElsewhere)) return { kind: "none" };
  const remedy =
    "Give the setting `otlpEndpoint` an address that takes OTLP over HTTP, such as http://127.0.0.1:4318.";
  if (configured === undefined && exporter("PROTOCOL")?.toLowerCase() === "grpc")
    return {
      kind: "unusable",
      because: "OTEL_EXPORTER_OTLP_PROTOCOL asks for gRPC, which this program does not speak.",
      remedy,
    };
  const url = httpAddress(address);
  if (!url)
    return { kind: "unusable", because: "The endpoint for traces is no http or https address.", remedy };
  if (whole === undefined) url.pathname = `${url.pathname.replace(/\/+$/, "")}/${tracesPath}`;
  const login = loginIn(url);
  return {
    kind: "send",
    url: url.href,
    shown: `${url.origin}${url.pathname}`,
    headers: { ...login, ...pairsIn(exporter("HEADERS"), (name) => name.toLowerCase()) },
    timeoutMs: timeoutIn(exporter("TIMEOUT")),
    resource: {
      "service.name": product.name,
      "service.version": product.version,
      ...pairsIn(given("OTEL_RESOURCE_ATTRIBUTES")),
      ...(given("OTEL_SERVICE_NAME") === undefined ? {} : { "service.name": given("OTEL_SERVICE_NAME") }),
    },
  };
}

function httpAddress(text: string): URL | undefined {
  const url = URL.parse(text);
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined;
}

// A name and a password in an address go into a header, so that nothing shows the address with them.
function loginIn(url: URL): Record<string, string> {
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return {};
  const login = new TextEncoder().encode(`${unescaped(username)}:${unescaped(password)}`);
  return { authorization: `Basic ${login.toBase64()}` };
}

// "one=1,other=a%20b"
function pairsIn(text = "", named: (name: string) => string = (name) => name): Record<string, string> {
  const pairs = text.split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, at)).trim();
    return name === "" ? [] : [[named(name), unescaped(pair.slice(at + 1).trim())] as const];
  });
  return Object.fromEntries(pairs);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that escapes nothing stands for itself.
    return text;
  }
}

function timeoutIn(text: string | undefined): number {
  const milliseconds = Number(text);
  return milliseconds > 0 ? Math.min(milliseconds, longestTimeoutMs) : usualTimeoutMs;
}
