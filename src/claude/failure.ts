// Why Claude itself failed, out of all that it said of that.
import type { FailureReason, Outcome } from "../model/outcome.ts";
import type { ResultMessage } from "./message.ts";
import type { Reading } from "./reading.ts";
import { resetTimeIn } from "./reset-time.ts";

/** The outcome of a session whose result is an error. `now`: when it ended, in milliseconds since 1970. */
export function failure(result: ResultMessage, reading: Reading, now: number): Outcome {
  const reason = reasonOf(result, reading);
  const message = messageOf(result);
  if (reason !== "usage-limit") return { kind: "failed", reason, message };
  const resetsAt = reading.limitRejected?.resetsAt ?? resetTimeIn(message, now);
  const limitType = reading.limitRejected?.type;
  return {
    kind: "failed",
    reason,
    message,
    ...(resetsAt === undefined ? {} : { resetsAt }),
    ...(limitType === undefined ? {} : { limitType }),
  };
}

const reasonsBySubtype: Record<string, FailureReason> = {
  error_max_turns: "max-turns",
  error_max_budget_usd: "budget",
  error_max_structured_output_retries: "schema",
};

// Several layers name the failure, each only at times: the subtype, the reason for the end, the kind of the
// synthetic message, the status, the text. The more exact one comes first.
function reasonOf(result: ResultMessage, reading: Reading): FailureReason {
  const bySubtype = reasonsBySubtype[result.subtype];
  if (bySubtype) return bySubtype;
  if (isWithoutConversation(result)) return "conversation";
  if (/^aborted_/.test(result.terminal_reason ?? "")) return "interrupted";
  if (result.subtype !== "success") return "execution";
  if (result.terminal_reason === "prompt_too_long") return "prompt-too-long";
  if (result.stop_reason === "refusal") return "refusal";
  const status = result.api_error_status;
  if (reading.errorKind === "rate_limit" || status === 429) return limitReason(result, reading);
  switch (reading.errorKind) {
    case "authentication_failed":
    case "oauth_org_not_allowed":
      return "auth";
    case "billing_error":
      return "billing";
    case "model_not_found":
      return "model";
    case "max_output_tokens":
      return "output-limit";
    case "invalid_request":
      return "request";
    case "overloaded":
      return "overloaded";
  }
  return reasonByStatus(status, reading.errorKind);
}

// The CLI names no field for it (seen with 2.1.197 and 2.1.332): it ends before its first turn, with these words.
function isWithoutConversation({ subtype, num_turns, errors = [] }: ResultMessage): boolean {
  if (subtype !== "error_during_execution" || num_turns > 0) return false;
  return errors.some((error) => error.startsWith("No conversation found"));
}

// A passing throttle and the account's limit are both 429: the limit event decides, then the text.
function limitReason(result: ResultMessage, reading: Reading): FailureReason {
  if (reading.limitRejected) return "usage-limit";
  return /hit your [\w\s-]*limit|usage limit/i.test(result.result ?? "") ? "usage-limit" : "rate-limit";
}

function reasonByStatus(status: number | null | undefined, errorKind: string | undefined): FailureReason {
  if (status == null) return errorKind === "server_error" ? "connection" : "execution";
  if (status === 529) return "overloaded";
  if (status === 401 || status === 403) return "auth";
  if (status === 402) return "billing";
  if (status === 404) return "model";
  return status >= 500 || status === 408 || status === 409 ? "server-error" : "request";
}

function messageOf(result: ResultMessage): string {
  return result.result || result.errors?.join("; ") || `The session ended with ${result.subtype}.`;
}
