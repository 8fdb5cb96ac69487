// The truth table: how a session ended, from all the evidence and not from one field.
import type { Canceller, Clock, Outcome } from "../model/outcome.ts";
import { failure } from "./failure.ts";
import type { Answer, Reading } from "./reading.ts";

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
