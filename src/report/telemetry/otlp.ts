// Spans in the JSON of OTLP (OpenTelemetry's protocol, over HTTP).
import { product } from "../../model/product.ts";
import type { Attributes, Span } from "./span.ts";

/** The body of a request that exports spans, with what is known about the sender. Without spans, it only tries. */
export function tracesRequest(spans: readonly Span[], resource: Attributes): string {
  return JSON.stringify({
    resourceSpans:
      spans.length === 0
        ? []
        : [
            {
              resource: { attributes: attributesOf(resource) },
              scopeSpans: [
                { scope: { name: product.name, version: product.version }, spans: spans.map(spanOf) },
              ],
            },
          ],
  });
}

/** The number of OTLP for a span that is no call over a network. */
const internalKind = 1;
/** The number of OTLP for the status of a span that has failed. */
const errorStatus = 2;

function spanOf({ context, parent, name, startedAt, endedAt, attributes, hasFailed }: Span) {
  const { traceId, spanId } = context;
  return {
    traceId,
    spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name,
    kind: internalKind,
    startTimeUnixNano: nanoseconds(startedAt),
    // The clock may have been set back meanwhile.
    endTimeUnixNano: nanoseconds(Math.max(startedAt, endedAt)),
    attributes: attributesOf(attributes),
    status: hasFailed ? { code: errorStatus } : {},
  };
}

// As text, because they are more than a number in JSON can say exactly.
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds)}000000`;
}

function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: encoded(value) }],
  );
}

function encoded(value: NonNullable<Attributes[string]>) {
  if (typeof value === "string") return { stringValue: value };
  return typeof value === "number" ? { doubleValue: value } : { intValue: String(value.whole) };
}
