// The text of an ended task, or a part of it: the answer, or what went wrong.
import { partOfText, readAnswerPart, type TextPart, type TextRange } from "../claude/answer-part.ts";
import type { DoneTask } from "../model/state.ts";
import { messageOf } from "../platform/system-error.ts";
import { outcomeText } from "../report/outcome-text.ts";
import { textPlaces } from "../report/text-places.ts";

/** A part of a task's text. */
export interface TaskText {
  text: string;
  /** Where the part begins, in characters (UTF-16 units). */
  from: number;
  /** Of the whole, in characters; an upper bound for an answer over 8 MB whose end was not read. */
  length: number;
  /** Whether the text continues after the part. */
  more: boolean;
}

type Source = (range: TextRange) => TextPart;

/**
 * The requested part of a task's text. Other answers of the session follow the answer or the error. Never cuts a
 * character in half, so the part may be one unit shorter than requested. If the transcript is unreadable, the text says
 * so: the task has succeeded anyway.
 */
export function taskText(task: DoneTask, { from, characters }: TextRange): TaskText {
  try {
    const sources = sourcesOf(task);
    const part = joined(sources, { from, characters: Math.max(2, characters) });
    const length = part.length ?? lengthOf(task, sources);
    const more = part.length === undefined || from + part.text.length < length;
    return { text: more ? part.text.replace(/[\uD800-\uDBFF]$/, "") : part.text, from, length, more };
  } catch (error) {
    // The transcript was removed or damaged: the task has succeeded anyway.
    const reason = messageOf(error);
    const text = `The transcript ${task.attempts.at(-1)?.transcript} cannot be read: ${reason}`;
    return { text, from: 0, length: text.length, more: false };
  }
}

/** The approximate length of a task's text, without other answers. */
export function expectedLength({ outcome }: DoneTask): number {
  return outcome.kind === "succeeded" ? outcome.length : outcomeText(outcome).length;
}

function sourcesOf({ outcome, attempts }: DoneTask): Source[] {
  const transcript = attempts.at(-1)?.transcript;
  // Data without a text is the answer itself.
  if (outcome.kind === "succeeded" && outcome.length === 0 && outcome.structured !== undefined)
    return [literal(JSON.stringify(outcome.structured))];
  const before = outcome.kind === "succeeded" ? [] : [literal(outcomeText(outcome))];
  if (transcript === undefined) return before;
  const sources = textPlaces(outcome).flatMap(({ offset, heading }): Source[] => [
    ...(heading === undefined ? [] : [literal(`\n\n${heading}\n\n`)]),
    (range) => readAnswerPart(transcript, offset, range),
  ]);
  return [...before, ...sources];
}

function literal(text: string): Source {
  return (range) => partOfText(text, range);
}

// The requested part of all sources as one text. Each is read only if the previous one ends before the part does.
function joined(sources: readonly Source[], { from, characters }: TextRange): TextPart {
  let text = "";
  let length = 0;
  for (const source of sources) {
    const range = { from: Math.max(0, from - length), characters: characters - text.length };
    const part = source(range);
    text += part.text;
    const goesOn = part.length === undefined || range.from + part.text.length < part.length;
    if (goesOn && sources.length > 1) return { text };
    if (part.length === undefined) return { text };
    length += part.length;
  }
  return { text, length };
}

// Several texts are measured to their ends; such answers are rarely long.
function lengthOf(task: DoneTask, sources: readonly Source[]): number {
  if (sources.length === 1) return expectedLength(task);
  const toTheEnd = { from: Number.POSITIVE_INFINITY, characters: 0 };
  return sources.reduce((sum, source) => sum + (source(toTheEnd).length ?? 0), 0);
}
