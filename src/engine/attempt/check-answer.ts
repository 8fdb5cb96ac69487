// The checks of an answer that need nothing but its text: a pattern, and a JSON Schema.
import { readAnswer } from "../../claude/transcript.ts";
import { type AnswerFilter, type CheckResult, longestOutput, patternOf } from "../../model/checks.ts";
import { cut } from "../../model/cut.ts";
import type { Success } from "../../model/outcome.ts";
import { schemaErrors } from "../../model/schema-errors.ts";

/** An answer as a check sees it. */
export interface CheckedAnswer {
  text: string;
  /** The answer as data, if it is one. */
  structured?: unknown;
}

/** Most characters of an answer that are checked. */
const longestAnswer = 10_000_000;

/** An answer in a transcript; its text may still be at hand. */
export function answerIn(transcript: string, outcome: Success, text?: string): CheckedAnswer {
  const structured = outcome.structured === undefined ? {} : { structured: outcome.structured };
  if (text !== undefined) return { text, ...structured };
  try {
    return { text: readAnswer(transcript, outcome.offset, longestAnswer).text, ...structured };
  } catch {
    // The transcript was removed: then there is no answer that could pass.
    return { text: "", ...structured };
  }
}

/** What a pattern says about an answer. */
export function checkPattern(pattern: string, { text }: CheckedAnswer): CheckResult {
  const result = { kind: "pattern" as const, asked: pattern };
  const read = patternOf(pattern);
  if (!read.ok) return { ...result, passed: false, output: read.reason, broken: true };
  const passed = read.pattern.test(text);
  return { ...result, passed, output: passed ? "" : "The answer does not match it." };
}

/** What a schema says about an answer. */
export function checkSchema(schema: Record<string, unknown>, answer: CheckedAnswer): CheckResult {
  const result = { kind: "schema" as const, asked: "" };
  const data = dataOf(answer);
  if (!data.ok) return { ...result, passed: false, output: data.reason };
  const errors = schemaErrors(schema, data.value);
  return { ...result, passed: errors.length === 0, output: cut(errors.join("\n"), longestOutput) };
}

/** Whether an answer passes a filter. */
export function isMatch({ pattern, schema }: AnswerFilter, answer: CheckedAnswer): boolean {
  if (pattern !== undefined && !checkPattern(pattern, answer).passed) return false;
  try {
    return typeof schema !== "object" || checkSchema(schema, answer).passed;
  } catch {
    // A reference in the schema that leads nowhere, which only some answers lead to: those do not match.
    return false;
  }
}

type Data = { ok: true; value: unknown } | { ok: false; reason: string };

// Models like to put JSON into a block of code.
function dataOf({ text, structured }: CheckedAnswer): Data {
  if (structured !== undefined) return { ok: true, value: structured };
  const block = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)?.[1];
  try {
    return { ok: true, value: JSON.parse(block ?? text) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: `The answer is no JSON: ${reason}` };
  }
}
