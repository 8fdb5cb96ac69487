// The truth table: how a session ended, from all the evidence instead of one field.
import type { AttemptOutcome, Canceller, Clock, Outcome } from "../model/outcome.ts";
import { schemaErrors } from "../model/schema-errors.ts";
import { failure, ownReason } from "./failure.ts";
import { type Answer, answersOf, isBlank, isFinal, type Reading } from "./reading.ts";

/** Why we ended a session. The first reason stays. */
export type Ending =
  | { kind: "cancelled"; by: Canceller }
  | { kind: "timed-out"; clock: Clock; afterMs: number }
  | { kind: "evicted" }
  /** It had answered and did not exit. */
  | { kind: "lingered"; afterMs: number }
  /** It has no agent of the requested name, and got no prompt. */
  | { kind: "unknown-agent"; asked: string; available: string[] };

/** How the process ended; empty if nobody could see it (an adopted session). */
export type Exit = { code?: number; signal?: string };

export interface Evidence {
  reading: Reading;
  exit?: Exit;
  ending?: Ending;
  stderrTail: string;
  /** Whether an `outputSchema` was given. */
  structured: boolean;
  /** That schema. */
  schema?: Record<string, unknown> | undefined;
  /** Whether the prompt might be a slash command, some of which need no turn of Claude's. */
  slashCommands: boolean;
  /** Whether it was killed while its own commands ran: then its answer may not have been its last. */
  wasAtWork?: boolean;
  /** When the session ended, in milliseconds since 1970: "resets 9pm" means the next one. */
  now: number;
}

/**
 * A good answer that is the session's last word counts, whatever came after it. Otherwise our own reason for the end,
 * then the CLI's own failure, and only then the exit. `subtype` and exit code alone are wrong in both directions. Earlier
 * answers are kept with every failure.
 */
export function outcomeOf(evidence: Evidence): AttemptOutcome {
  const outcome = goodAnswer(evidence) ?? failed(evidence);
  const { kind } = outcome;
  if (kind === "succeeded" || kind === "unverified" || kind === "not-started") return outcome;
  const interim = answersOf(evidence.reading).filter((one) => isGood(one) && saysSomething(one, evidence));
  return interim.length === 0 ? outcome : { ...outcome, interimOffsets: interim.map(({ offset }) => offset) };
}

function failed({
  reading,
  exit,
  ending,
  stderrTail,
  wasAtWork = false,
  slashCommands,
  now,
}: Evidence): AttemptOutcome {
  if (ending?.kind === "unknown-agent") return unknownAgent(ending);
  if (ending && ending.kind !== "lingered") return ending;
  const { answer } = reading;
  if (!answer || !isFinal(reading) || wasAtWork) return crash(exit, stderrTail);
  const limited = answersOf(reading).find(isLimited);
  if (limited) return failure(limited.result, reading, now);
  return isGood(answer) ? nothingSaid(answer, slashCommands) : failure(answer.result, reading, now);
}

function isGood({ result }: Answer): boolean {
  return !result.is_error && result.subtype === "success";
}

// A limit of the task's own ends the task, although the end of a subagent may begin another turn.
function isLimited({ result }: Answer): boolean {
  const own = ownReason(result);
  return own === "max-turns" || own === "budget";
}

/** The success, if there is one. With a schema, only an answer with data counts. */
function goodAnswer(evidence: Evidence): Outcome | undefined {
  const { reading, structured, exit, ending, wasAtWork = false } = evidence;
  const all = answersOf(reading);
  if (!reading.answer || !isFinal(reading) || wasAtWork) return undefined;
  if (!isGood(reading.answer) || all.some(isLimited)) return undefined;
  const said = all.filter((one) => isGood(one) && saysSomething(one, evidence));
  // Answers to later events often have no data.
  const answer = structured
    ? said.findLast(({ result }) => result.structured_output !== undefined)
    : said.at(-1);
  if (!answer) return said.length > 0 ? withoutData(said, evidence.schema) : undefined;
  const at = said.indexOf(answer);
  const offsets = (answers: Answer[]) =>
    answers.filter(({ textLength }) => textLength > 0).map(({ offset }) => offset);
  const [earlier, later] = [offsets(said.slice(0, at)).toReversed(), offsets(said.slice(at + 1))];
  const data = answer.result.structured_output;
  const remark = remarkOn(exit, ending);
  return {
    kind: "succeeded",
    length: answer.textLength,
    offset: answer.offset,
    ...(data === undefined ? {} : { structured: data }),
    ...(earlier.length > 0 ? { earlierOffsets: earlier } : {}),
    ...(later.length > 0 ? { laterOffsets: later } : {}),
    ...(remark === undefined ? {} : { remark }),
  };
}

function withoutData(said: Answer[], schema: Record<string, unknown> | undefined): Outcome {
  const text = said.at(-1)?.result.result ?? "";
  const message = `Claude answered in text, without the data that outputSchema asks for: ${text}`;
  const misfit = schema === undefined ? "" : misfitText(schema, text);
  return { kind: "failed", reason: "schema", message: `${message.slice(0, 2_000)}${misfit}` };
}

// If the text is JSON, what keeps it from fitting is known, and Claude can correct that.
function misfitText(schema: Record<string, unknown>, text: string): string {
  try {
    const errors = schemaErrors(schema, JSON.parse(text));
    return errors.length === 0 ? "" : `\n\nAs data, it would not fit the schema:\n${errors.join("\n")}`;
  } catch {
    // It is no JSON, or the schema refers to nothing: then there is no more to say.
    return "";
  }
}

// The CLI reports success even if it has done nothing: for a prompt that a hook blocks, for a command that does not
// exist, and without any text of Claude's. Some commands (`/clear`) need neither a turn nor text.
function saysSomething(answer: Answer, { slashCommands }: Pick<Evidence, "slashCommands">): boolean {
  const { result } = answer;
  if (isBlocked(answer) || isUnknownCommand(answer)) return false;
  if (result.num_turns === 0) return slashCommands;
  return !isBlank(answer) || result.structured_output !== undefined;
}

function isBlocked({ blockedBy, result }: Answer): boolean {
  return blockedBy !== undefined || /^UserPromptSubmit operation blocked by hook/.test(result.result ?? "");
}

function isUnknownCommand({ result }: Answer): boolean {
  return result.num_turns === 0 && /^Unknown command: /.test(result.result ?? "");
}

function nothingSaid(answer: Answer, slashCommands: boolean): Outcome {
  const message = answer.result.result?.trim() ?? "";
  if (isBlocked(answer)) return { kind: "failed", reason: "hook", message: answer.blockedBy || message };
  const isCommand = isUnknownCommand(answer) || slashCommands;
  return { kind: "failed", reason: isCommand && message !== "" ? "request" : "no-answer", message };
}

function unknownAgent({ asked, available }: Extract<Ending, { kind: "unknown-agent" }>): Outcome {
  const message = `There is no agent "${asked}". Available agents: ${available.join(", ")}.`;
  return { kind: "failed", reason: "agent", message };
}

function crash(exit: Exit | undefined, stderrTail: string): Outcome {
  // Older versions refuse it themselves, and list the agents (seen with 2.1.197).
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
