// One request of OTLP over HTTP.
import { messageOf } from "../../platform/system-error.ts";
import type { TraceTarget } from "./target.ts";

export type Delivery =
  | { kind: "taken" }
  /** Asking again would change nothing. `because`: in words for people, as it follows a colon. */
  | { kind: "refused"; because: string }
  /** May pass. */
  | { kind: "away"; because: string; waitMs?: number };

/** What a protocol for requests says may be asked again; anything else is refused for good. */
const passing = new Set([429, 502, 503, 504]);

/** Sends a body, and waits for the answer, at most as long as the target says. Never throws. */
export async function deliver(
  { url, headers, timeoutMs }: TraceTarget,
  body: string,
  cancelled?: AbortSignal,
): Promise<Delivery> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      // A redirection would take the secrets of the headers elsewhere.
      redirect: "manual",
      signal: cancelled ? AbortSignal.any([late, cancelled]) : late,
    });
    // Nothing in it changes what follows.
    await response.body?.cancel();
    if (response.ok) return { kind: "taken" };
    const because = `it answers ${response.status}${response.statusText === "" ? "" : ` (${response.statusText})`}`;
    if (!passing.has(response.status)) return { kind: "refused", because };
    const waitMs = waitIn(response.headers.get("retry-after"));
    return { kind: "away", because, ...(waitMs === undefined ? {} : { waitMs }) };
  } catch (error) {
    if (late.aborted) return { kind: "away", because: `it did not answer within ${timeoutMs / 1000} s` };
    return { kind: "away", because: messageOf(error) };
  }
}

// Seconds, or a date.
function waitIn(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = Number(text);
  const milliseconds = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
