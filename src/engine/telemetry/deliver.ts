// One request of OTLP over HTTP.
import { messageOf } from "../../platform/system-error.ts";
import { oneLine } from "../../report/harmless.ts";
import type { TraceTarget } from "./target.ts";

export type Delivery =
  | { kind: "taken" }
  /** Asking again would change nothing. `because`: in words for people, as it follows a colon. */
  | { kind: "refused"; because: string }
  /** May pass. */
  | { kind: "away"; because: string; waitMs?: number };

/** What a protocol for requests says may be asked again; anything else is refused for good. */
const passing = new Set([429, 502, 503, 504]);
/** Most characters of what an endpoint, or an error of the system, says of itself. */
const longestWords = 200;

/** Sends a body, and waits for the answer, at most as long as the target says. Never throws. */
export async function deliver(
  { url, shown, headers, timeoutMs }: TraceTarget,
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
    const words = oneLine(response.statusText, longestWords);
    const because = `it answers ${response.status}${words === "" ? "" : ` (${words})`}`;
    if (!passing.has(response.status)) return { kind: "refused", because };
    const waitMs = waitIn(response.headers.get("retry-after"));
    return { kind: "away", because, ...(waitMs === undefined ? {} : { waitMs }) };
  } catch (error) {
    if (late.aborted) return { kind: "away", because: `it did not answer within ${timeoutMs / 1000} s` };
    // Some errors quote the address, with what is secret in it.
    return { kind: "away", because: oneLine(messageOf(error).replaceAll(url, shown), longestWords) };
  }
}

// Seconds, or a date.
function waitIn(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = Number(text);
  const milliseconds = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
