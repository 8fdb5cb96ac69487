// The trace of a batch, and the spans in it. Ids derive from what is in the log, so that a runner that takes over sends no
// second trace.
import { z } from "zod";
import type { Attempt, BatchState } from "./state.ts";

/** The variable that says which span a process is a part of. */
export const traceVariable = "TRACEPARENT";

const form = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

/** A place in a trace, as that variable names it (W3C Trace Context). */
export const spanContext = z.object({
  traceId: z.string(),
  spanId: z.string(),
  /** Whether its spans are sent anywhere. */
  isSampled: z.boolean(),
});
export type SpanContext = z.infer<typeof spanContext>;

/** What such a variable names; undefined if it names nothing. */
export function spanContextFrom(text: string | undefined): SpanContext | undefined {
  const [, traceId = "", spanId = "", flags = ""] = form.exec(text?.trim().toLowerCase() ?? "") ?? [];
  if (!/[^0]/.test(traceId) || !/[^0]/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The value of TRACEPARENT for what happens within a span. */
export function traceparentOf({ traceId, spanId, isSampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

type Traced = Pick<BatchState, "batch" | "createdAt">;

/** The span of a batch: all others of it are below. It begins a trace, unless whatever started the batch is in one. */
export function batchContext({ batch, createdAt }: Traced): SpanContext {
  const named = `${batch.batchId} ${createdAt}`;
  return {
    traceId: batch.within?.traceId ?? digest(`trace ${named}`, 32),
    spanId: digest(`batch ${named}`, 16),
    isSampled: batch.within?.isSampled ?? true,
  };
}

/** The span of a batch that runs again after it had ended or paused under a runner of this epoch. */
export function roundContext(traced: Traced, afterEpoch: number): SpanContext {
  const { batch, createdAt } = traced;
  return {
    ...batchContext(traced),
    spanId: digest(`round ${batch.batchId} ${createdAt} ${afterEpoch}`, 16),
  };
}

/** The span of the attempt that a session is started for. Known before its task is, because a session may wait for one. */
export function startContext(traced: Traced, startName: string): SpanContext {
  return { ...batchContext(traced), spanId: digest(`start ${startName}`, 16) };
}

/** The span of an attempt at a task (1-based). */
export function attemptContext(
  traced: Traced,
  task: number,
  { startName, offset, number }: Pick<Attempt, "startName" | "offset" | "number">,
): SpanContext {
  // Its process has run others before, whose span is named after the start; older logs name no starts.
  if (startName !== undefined && offset === undefined) return startContext(traced, startName);
  const { batch, createdAt } = traced;
  return {
    ...batchContext(traced),
    spanId: digest(`attempt ${batch.batchId} ${createdAt} ${task} ${number}`, 16),
  };
}

function digest(text: string, letters: number): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, letters);
}
