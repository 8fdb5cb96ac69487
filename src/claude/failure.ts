// Why Claude itself failed, from all that it reported.
import type { FailureReason, Outcome } from "../model/outcome.ts";
import { concernsModel, isRateLimit, limits, mayNameReset, type Refusal } from "./limits.ts";
import type { ResultMessage } from "./message.ts";
import type { Reading } from "./reading.ts";
import { resetTimeIn } from "./reset-time.ts";

/** The outcome of a session whose result is an error. `now`: when it ended, in milliseconds since 1970. */
export function failure(result: ResultMessage, reading: Reading, now: number): Outcome {
  const message = errorTextOf(result);
  const own = ownReason(result);
  if (own) return { kind: "failed", reason: own, message };
  const refusal = refusalOf(result, reading, message, now);
  const limit = limits.find(({ shows }) => shows(refusal));
  if (!limit) return { kind: "failed", reason: reasonBy(refusal), message };
  const { reason } = limit;
  const limitType = refusal.event?.type ?? ("type" in limit ? limit.type(refusal) : undefined);
  const ends = reason === "usage-limit" || reason === "billing" ? refusal.resetsAt : undefined;
  return {
    kind: "failed",
    reason,
    message,
    ...(ends === undefined ? {} : { resetsAt: ends }),
    ...(limitType === undefined ? {} : { limitType }),
  };
}

const reasonsBySubtype: Record<string, FailureReason> = {
  error_max_turns: "max-turns",
  error_max_budget_usd: "budget",
  error_max_structured_output_retries: "schema",
};

// Why the CLI's own loop stopped, by the names of 2.1.332. For others, the API's last message says more.
const reasonsByTerminal: Record<string, FailureReason> = {
  prompt_too_long: "prompt-too-long",
  // Too long, and compaction failed or did not help.
  blocking_limit: "prompt-too-long",
  rapid_refill_breaker: "prompt-too-long",
  max_turns: "max-turns",
  budget_exhausted: "budget",
  structured_output_retry_exhausted: "schema",
  malformed_tool_use_exhausted: "execution",
  turn_setup_failed: "execution",
  tool_deferred_unavailable: "execution",
};

/** Why the session itself ended, whatever the API said last; undefined if it does not say. */
export function ownReason(result: ResultMessage): FailureReason | undefined {
  const bySubtype = reasonsBySubtype[result.subtype];
  if (bySubtype) return bySubtype;
  if (isWithoutConversation(result)) return "conversation";
  if (/^aborted_/.test(result.terminal_reason ?? "")) return "interrupted";
  const byTerminal = reasonsByTerminal[result.terminal_reason ?? ""];
  if (byTerminal) return byTerminal;
  if (result.subtype !== "success") return "execution";
  if (result.stop_reason === "model_context_window_exceeded") return "prompt-too-long";
  return result.stop_reason === "refusal" ? "refusal" : undefined;
}

// The CLI has no field for it (seen with 2.1.197 and 2.1.332): it ends before its first turn, with this message.
function isWithoutConversation({ subtype, num_turns, errors = [] }: ResultMessage): boolean {
  if (subtype !== "error_during_execution" || num_turns > 0) return false;
  return errors.some((error) => error.startsWith("No conversation found"));
}

function refusalOf(result: ResultMessage, reading: Reading, text: string, now: number): Refusal {
  const { limitRejected, errorKind: kind } = reading;
  const status = result.api_error_status ?? undefined;
  // An earlier event may concern something else: a subagent reached its limit, and then the main conversation failed for
  // another reason.
  const event = isRateLimit({ status, kind }) ? limitRejected : undefined;
  const said = mayNameReset(text) ? resetTimeIn(text, now) : undefined;
  return {
    status,
    kind,
    code: result.api_error,
    text,
    event,
    resetsAt: earliestAhead([event?.resetsAt, event?.overageResetsAt], now) ?? said,
  };
}

/** The year 5000: a later time means that a gateway sent milliseconds as seconds. */
const latestMs = Date.UTC(5000, 0);

// The plan's usage and the usage beyond it reset separately, and either is enough. A past reset is better than none: the
// limit may be over already.
function earliestAhead(times: (number | undefined)[], now: number): number | undefined {
  const known = times
    .filter((time) => time !== undefined)
    .map((time) => (time > latestMs ? time / 1_000 : time))
    .sort((a, b) => a - b);
  return known.find((time) => time > now) ?? known.at(-1);
}

const reasonsByKind: Record<string, FailureReason> = {
  model_not_found: "model",
  max_output_tokens: "output-limit",
  invalid_request: "request",
};

function reasonBy(refusal: Refusal): FailureReason {
  const { status, kind } = refusal;
  if (concernsModel(refusal)) return "model";
  const byKind = reasonsByKind[kind ?? ""];
  if (byKind) return byKind;
  if (status === undefined) return kind === "server_error" ? "connection" : "execution";
  if (status === 404) return "model";
  return status >= 500 || status === 408 || status === 409 ? "server-error" : "request";
}

function errorTextOf(result: ResultMessage): string {
  return result.result || result.errors?.join("; ") || `The session ended with ${result.subtype}.`;
}
