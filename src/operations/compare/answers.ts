// Whether two answers are the same, and how they differ. Two texts are in memory at a time, and none is kept.
import { readAnswerPart } from "../../claude/answer-part.ts";
import { readAnswer } from "../../claude/transcript.ts";
import { cut } from "../../model/cut.ts";
import type { DoneTask } from "../../model/state.ts";
import { messageOf } from "../../platform/system-error.ts";
import { canonicalJson, type FieldChange, fieldChanges } from "../../report/diff/data-diff.ts";
import { type DiffLine, diffLines, sentencesOf } from "../../report/diff/text-diff.ts";

/** How much of a text is read at once, in characters. */
const partCharacters = 4_000_000;
/** How much of each text is looked at for how they differ, in characters. */
const longestCompared = 1_000_000;
/** The longest value of a field that is passed on as it is, as JSON. */
const longestValue = 2_000;

/** Whether both succeeded with the same answer. Data is compared as data, texts by their length first. */
export function isSameAnswer(one: DoneTask, other: DoneTask): boolean {
  const [first, second] = [one.outcome, other.outcome];
  if (first.kind !== "succeeded" || second.kind !== "succeeded") return false;
  if (isData(one) && isData(other))
    return canonicalJson(first.structured) === canonicalJson(second.structured);
  if (first.length !== second.length || isData(one) !== isData(other)) return false;
  for (let from = 0; from === 0 || from < first.length; from += partCharacters) {
    if (partOf(one, from) !== partOf(other, from)) return false;
  }
  return true;
}

/** How an answer differs from another one. */
export type Difference = { kind: "text"; lines: DiffLine[] } | { kind: "data"; fields: FieldChange[] };

/** Both must have succeeded. */
export function differenceOf(one: DoneTask, other: DoneTask): Difference {
  if (isData(one) && isData(other)) {
    const fields = fieldChanges(dataOf(one), dataOf(other));
    return { kind: "data", fields: fields.map(shortened) };
  }
  return { kind: "text", lines: diffLines(...linesOfBoth(one, other)) };
}

/** The lines of both answers, as they are compared. */
export function linesOfBoth(one: DoneTask, other: DoneTask): [string[], string[]] {
  return [sentencesOf(answerText(one, longestCompared)), sentencesOf(answerText(other, longestCompared))];
}

/** The answer as text, or its beginning; data as JSON. Throws if the transcript cannot be read. */
export function answerText(task: DoneTask, limit: number): string {
  if (isData(task)) return cut(JSON.stringify(dataOf(task), null, 2) ?? "", limit);
  const { outcome } = task;
  return outcome.kind === "succeeded" ? readAnswer(transcriptOf(task), outcome.offset, limit).text : "";
}

/** Why the answer of a task cannot be read; undefined if it can. */
export function unreadableReason(task: DoneTask): string | undefined {
  try {
    answerText(task, 1);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function isData({ outcome }: DoneTask): boolean {
  return outcome.kind === "succeeded" && outcome.structured !== undefined;
}

function dataOf({ outcome }: DoneTask): unknown {
  return outcome.kind === "succeeded" ? outcome.structured : undefined;
}

function partOf(task: DoneTask, from: number): string {
  const { outcome } = task;
  if (outcome.kind !== "succeeded") return "";
  return readAnswerPart(transcriptOf(task), outcome.offset, { from, characters: partCharacters }).text;
}

function transcriptOf({ attempts }: DoneTask): string {
  return attempts.at(-1)?.transcript ?? "";
}

function shortened({ path, before, after }: FieldChange): FieldChange {
  return {
    path,
    ...(before === undefined ? {} : { before: shortValue(before) }),
    ...(after === undefined ? {} : { after: shortValue(after) }),
  };
}

function shortValue(value: unknown): unknown {
  const json = JSON.stringify(value) ?? "";
  if (json.length <= longestValue) return value;
  return cut(typeof value === "string" ? value : json, longestValue);
}
