// The truth table: how a session ended, from all the evidence and not from one field.
import type { Canceller, Clock, Outcome } from "../model/outcome.ts";
import { failure } from "./failure.ts";
import { type Answer, isFinal, type Reading } from "./reading.ts";

/** Why we ended a session ourselves. The first reason stays. */
export type Ending =
  | { kind: "cancelled"; by: Canceller }
  | { kind: "timed-out"; clock: Clock; afterMs: number }
  /** It had answered and did not leave. */
  | { kind: "lingered"; afterMs: number }
  /** It has no agent of the name that was asked for, and was asked nothing. */
  | { kind: "unknown-agent"; asked: string; available: string[] };

/** How the process ended; nothing where nobody could see it (an adopted session). */
export type Exit = { code?: number; signal?: string };

export interface Evidence {
  reading: Reading;
  exit?: Exit;
  ending?: Ending;
  stderrTail: string;
  /** Whether an `outputSchema` was asked for. */
  structured: boolean;
  /** Whether the prompt might be a slash command, some of which need no turn of Claude's. */
  slashCommands: boolean;
  /** When the session ended, in milliseconds since 1970: "resets 9pm" means the next one. */
  now: number;
}

/**
 * A good answer counts, whatever came after it, when it is the session's last word; then our own reason for the end;
 * then what the CLI said of its failure; and only then the exit. `subtype` and exit code alone are wrong in both
 * directions. What was answered before is kept with every failure.
 */
export function outcomeOf(evidence: Evidence): Outcome {
  const { reading, exit, ending } = evidence;
  const { answer } = reading;
  const isLastWord = isFinal(reading);
  if (answer && isLastWord && isGood(answer)) return goodAnswer(answer, evidence);
  const interim = interimOf(reading);
  if (ending?.kind === "unknown-agent") return { ...unknownAgent(ending), ...interim };
  if (ending && ending.kind !== "lingered") return { ...ending, ...interim };
  if (answer && isLastWord) return { ...failure(answer.result, reading, evidence.now), ...interim };
  return { ...crash(exit, evidence.stderrTail), ...interim };
}

function isGood({ result }: Answer): boolean {
  return !result.is_error && result.subtype === "success";
}

function interimOf({ earlier, answer }: Reading): { interimOffsets?: number[] } {
  const good = [...earlier, ...(answer ? [answer] : [])]
    .filter(isGood)
    .filter(({ textLength }) => textLength > 0);
  return good.length === 0 ? {} : { interimOffsets: good.map(({ offset }) => offset) };
}

function goodAnswer(last: Answer, { reading, structured, slashCommands, exit, ending }: Evidence): Outcome {
  const all = [...reading.earlier, last].filter(isGood);
  // With a schema, the answer is the last one that has data: what is said of a later event often has none.
  const answer = structured ? all.findLast(({ result }) => result.structured_output !== undefined) : last;
  if (!answer) return withoutData(last);
  const nothing = nothingDone(answer, reading, slashCommands);
  if (nothing) return nothing;
  const earlier = all.filter((one) => one !== answer && one.textLength > 0).toReversed();
  const data = answer.result.structured_output;
  const remark = remarkOn(exit, ending);
  return {
    kind: "succeeded",
    length: answer.textLength,
    offset: answer.offset,
    ...(data === undefined ? {} : { structured: data }),
    ...(earlier.length > 0 ? { earlierOffsets: earlier.map(({ offset }) => offset) } : {}),
    ...(remark === undefined ? {} : { remark }),
  };
}

function withoutData({ result }: Answer): Outcome {
  const message = `Claude answered in text, without the data that outputSchema asks for: ${result.result ?? ""}`;
  return { kind: "failed", reason: "schema", message: message.slice(0, 2_000) };
}

// The CLI reports success also where it has done nothing at all.
function nothingDone(
  { result, textLength }: Answer,
  reading: Reading,
  slashCommands: boolean,
): Outcome | undefined {
  const text = result.result ?? "";
  if (reading.blockedBy !== undefined || /^UserPromptSubmit operation blocked by hook/.test(text))
    return { kind: "failed", reason: "hook", message: reading.blockedBy || text };
  // A slash command that does not exist costs nothing, calls nothing, and reports success.
  if (result.num_turns === 0 && /^Unknown command: /.test(text))
    return { kind: "failed", reason: "request", message: text };
  if (result.num_turns === 0 && !slashCommands)
    return {
      kind: "failed",
      reason: "no-answer",
      message: text || "Claude was not asked, and said nothing.",
    };
  const isBlank = textLength <= text.length && text.trim() === "";
  if (!isBlank || result.structured_output !== undefined) return undefined;
  return { kind: "failed", reason: "no-answer", message: "" };
}

function unknownAgent({ asked, available }: Extract<Ending, { kind: "unknown-agent" }>): Outcome {
  const message = `There is no agent "${asked}". Available are ${available.join(", ")}.`;
  return { kind: "failed", reason: "agent", message };
}

function crash(exit: Exit | undefined, stderrTail: string): Outcome {
  // Older versions refuse it by themselves, and say what there is (seen with 2.1.197).
  const agent = /^--agent '.*' not found\..*$/m.exec(stderrTail)?.[0];
  if (agent !== undefined) return { kind: "failed", reason: "agent", message: agent };
  return {
    kind: "crashed",
    ...(exit?.code === undefined ? {} : { exitCode: exit.code }),
    ...(exit?.signal === undefined ? {} : { signal: exit.signal }),
    stderrTail,
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
