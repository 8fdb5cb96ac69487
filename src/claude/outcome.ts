// The truth table: how a session ended, from all the evidence and not from one field.
import type { Canceller, Clock, FailureReason, Outcome } from "../model/outcome.ts";
import type { ResultMessage } from "./message.ts";
import type { Answer, Reading } from "./reading.ts";
import { resetTimeIn } from "./reset-time.ts";

/** Why we ended a session ourselves. The first reason stays. */
export type Ending =
  | { kind: "cancelled"; by: Canceller }
  | { kind: "timed-out"; clock: Clock; afterMs: number }
  /** It had answered and did not leave. */
  | { kind: "lingered"; afterMs: number };

/** How the process ended; nothing where nobody could see it (an adopted session). */
export type Exit = { code?: number; signal?: string };

export interface Evidence {
  reading: Reading;
  exit?: Exit;
  ending?: Ending;
  stderrTail: string;
  /** Whether an `outputSchema` was asked for. */
  structured: boolean;
  /** When the session ended, in milliseconds since 1970: "resets 9pm" means the next one. */
  now: number;
}

/**
 * A good answer counts whatever came after it; then our own reason for the end; then what the CLI said of its
 * failure; and only then the exit. `subtype` and exit code alone are wrong in both directions.
 */
export function outcomeOf({ reading, exit, ending, stderrTail, structured, now }: Evidence): Outcome {
  const { answer } = reading;
  if (answer && !answer.result.is_error && answer.result.subtype === "success") {
    return goodAnswer(answer, reading, structured, remarkOn(exit, ending));
  }
  if (ending && ending.kind !== "lingered") return ending;
  if (answer) {
    return failure(answer.result, reading, now);
  }
  return {
    kind: "crashed",
    ...(exit?.code === undefined ? {} : { exitCode: exit.code }),
    ...(exit?.signal === undefined ? {} : { signal: exit.signal }),
    stderrTail,
  };
}

function failure(result: ResultMessage, reading: Reading, now: number): Outcome {
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

function goodAnswer(
  answer: Answer,
  reading: Reading,
  structured: boolean,
  remark: string | undefined,
): Outcome {
  const { result, offset, textLength } = answer;
  const data = result.structured_output;
  if (structured && data === undefined) {
    const message = `Claude answered in text, without the data that outputSchema asks for: ${result.result ?? ""}`;
    return { kind: "failed", reason: "schema", message: message.slice(0, 2_000) };
  }
  // A slash command that does not exist costs nothing, calls nothing, and reports success.
  if (result.num_turns === 0 && /^Unknown command: /.test(result.result ?? "")) {
    return { kind: "failed", reason: "request", message: result.result ?? "" };
  }
  return {
    kind: "succeeded",
    length: textLength,
    offset,
    ...(data === undefined ? {} : { structured: data }),
    ...(reading.later.length > 0 ? { laterOffsets: reading.later.map((later) => later.offset) } : {}),
    ...(remark === undefined ? {} : { remark }),
  };
}

function remarkOn(exit: Exit | undefined, ending: Ending | undefined): string | undefined {
  if (ending?.kind === "lingered") {
    return `The session did not end by itself within ${Math.round(ending.afterMs / 1000)} s of its answer, and was ended.`;
  }
  if (ending) return undefined;
  if (exit?.signal !== undefined) return `The process was ended by ${exit.signal} after its answer.`;
  if (exit?.code) return `The process ended with exit code ${exit.code}, although its answer is good.`;
  return undefined;
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
