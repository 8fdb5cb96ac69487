// The text of a task that has ended, or a part of it: what was answered, or what went wrong.
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
  /** Of the whole, in characters; of an answer over 8 MB whose end was not read, at most so many. */
  length: number;
  /** Whether the whole goes on behind the part. */
  more: boolean;
}

type Source = (range: TextRange) => TextPart;

/**
 * The asked part of a task's text. What else the session answered belongs to it, behind the answer or the error. No
 * character is cut in half, so the part may be one unit shorter than asked. When the transcript cannot be read,
 * the text says so: the task has succeeded all the same.
 */
export function taskText(task: DoneTask, { from, characters }: TextRange): TaskText {
  try {
    const sources = sourcesOf(task);
    const part = joined(sources, { from, characters: Math.max(2, characters) });
    const length = part.length ?? lengthOf(task, sources);
    const more = part.length === undefined || from + part.text.length < length;
    return { text: more ? part.text.replace(/[\uD800-\uDBFF]$/, "") : part.text, from, length, more };
  } catch (error) {
    // The transcript was removed or damaged: the task has succeeded all the same.
    const reason = messageOf(error);
    const text = `The transcript ${task.attempts.at(-1)?.transcript} cannot be read: ${reason}`;
    return { text, from: 0, length: text.length, more: false };
  }
}

/** How long a task's text is, about: what the session answered beside the answer is not counted. */
export function expectedLength({ outcome }: DoneTask): number {
  return outcome.kind === "succeeded" ? outcome.length : outcomeText(outcome).length;
}

function sourcesOf({ outcome, attempts }: DoneTask): Source[] {
  const transcript = attempts.at(-1)?.transcript;
  // Data that came without words is the answer itself.
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

// The part of all sources as one text. Each is read only when the one before is known to end before the part does.
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

// Where more than one text makes the whole, they are counted to their ends; such answers are hardly ever long.
function lengthOf(task: DoneTask, sources: readonly Source[]): number {
  if (sources.length === 1) return expectedLength(task);
  const toTheEnd = { from: Number.POSITIVE_INFINITY, characters: 0 };
  return sources.reduce((sum, source) => sum + (source(toTheEnd).length ?? 0), 0);
}
