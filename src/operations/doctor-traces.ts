// Whether the traces of batches arrive where they are sent.
import { deliver } from "../engine/telemetry/deliver.ts";
import { traceChoice } from "../engine/telemetry/target.ts";
import type { Configuration } from "../model/configuration.ts";
import type { Environment } from "../platform/environment.ts";
import { tracesRequest } from "../report/telemetry/otlp.ts";
import type { Finding } from "./doctor.ts";

/** How long to wait for an answer, in milliseconds. */
const mostMs = 3_000;

/** One finding if traces are sent; none otherwise. Sessions can run without them, so nothing here is a failure. */
export async function traceFindings(
  { otlpEndpoint }: Pick<Configuration, "otlpEndpoint">,
  environment: Environment = process.env,
): Promise<Finding[]> {
  const name = "traces";
  const choice = traceChoice(environment, otlpEndpoint);
  if (choice.kind === "none") return [];
  if (choice.kind === "unusable")
    return [{ name, ok: true, detail: `None are sent. ${choice.because}`, remedy: choice.remedy }];
  const target = { ...choice, timeoutMs: Math.min(mostMs, choice.timeoutMs) };
  // A request without spans, which says whether one with spans would be taken.
  const answer = await deliver(target, tracesRequest([], {}));
  const detail = `Sent to ${choice.shown}`;
  if (answer.kind === "taken") return [{ name, ok: true, detail: `${detail}, which takes them.` }];
  return [
    {
      name,
      ok: true,
      detail: `${detail}, which does not take them now: ${answer.because}. Batches run without.`,
      remedy:
        answer.kind === "refused"
          ? "Check the address (the setting `otlpEndpoint`, or OTEL_EXPORTER_OTLP_ENDPOINT) and OTEL_EXPORTER_OTLP_HEADERS."
          : "Start what takes traces there, or correct the setting `otlpEndpoint`, or OTEL_EXPORTER_OTLP_ENDPOINT.",
    },
  ];
}
