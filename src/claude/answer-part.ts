// Reads the text of an answer from its line, or a part of it: a line may have 50 MB when the reader wants a page.
import { z } from "zod";
import { closeDescriptor, openForReading } from "../platform/files.ts";
import { beginOfString, endOfString } from "./json-scan.ts";
import { chunkBytes, LineText } from "./transcript-lines.ts";

/** The longest fields before the text of a result that is read in part; beyond that, the text counts as missing. */
const longestFieldsBytes = 256 * 1024 * 1024;

/** A range of characters (UTF-16 units) in a text, from `from` (0-based). */
export interface TextRange {
  from: number;
  characters: number;
}

export interface TextPart {
  text: string;
  /** Length of the whole text, in characters, once its end was read. Undefined if there is more. */
  length?: number;
}

/**
 * A part of the text in the `result` line, or assistant message, that begins at `offset`. Reads the line only up to the
 * end of the part, and keeps only the part. Throws if there is no transcript.
 */
export function readAnswerPart(transcript: string, offset: number, range: TextRange): TextPart {
  const descriptor = openForReading(transcript);
  try {
    return partOfLine(new LineText(descriptor, offset), range);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** The part of a text in memory. */
export function partOfText(text: string, { from, characters }: TextRange): TextPart {
  return { text: text.slice(from, from + characters), length: text.length };
}

function partOfLine(line: LineText, range: TextRange): TextPart {
  let head = line.next(chunkBytes);
  // Twice as much each time, so that searching again from the beginning costs no more than reading.
  while (!line.ended && beginOfString(head, "result") === undefined) {
    if (head.length > longestFieldsBytes) return { text: "", length: 0 };
    head += line.next(head.length);
  }
  if (line.ended) return partOfText(textOfWhole(head), range);
  return partOfString(head.slice(beginOfString(head, "result")), line, range);
}

// `pending` begins inside the JSON string of the text; the line continues it.
function partOfString(begin: string, line: LineText, { from, characters }: TextRange): TextPart {
  const kept: string[] = [];
  let pending = begin;
  let length = 0;
  for (;;) {
    const end = endOfString(pending, 0);
    const whole = end ?? wholeEscapes(pending);
    const text: string = JSON.parse(`"${pending.slice(0, whole)}"`);
    kept.push(text.slice(Math.max(0, from - length), Math.max(0, from + characters - length)));
    length += text.length;
    if (end !== undefined || line.ended) return { text: kept.join(""), length };
    if (length > from + characters) return { text: kept.join("") };
    pending = pending.slice(whole) + line.next(chunkBytes);
  }
}

// Where JSON text can be cut without cutting an escape. A backslash after an odd number of others is itself escaped.
function wholeEscapes(json: string): number {
  const begun = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(json);
  if (!begun) return json.length;
  let before = begun.index;
  while (json[before - 1] === "\\") before--;
  return (begun.index - before) % 2 === 1 ? json.length : begun.index;
}

const wholeLine = z.union([
  z.object({ type: z.literal("result"), result: z.string().catch("") }),
  z.object({
    type: z.literal("assistant"),
    message: z.object({ content: z.array(z.object({ text: z.string().catch("") })) }),
  }),
]);

// In a turn with an empty result, Claude's text is in a message of its own.
function textOfWhole(line: string): string {
  const parsed = wholeLine.safeParse(JSON.parse(line));
  if (!parsed.success) return "";
  if (parsed.data.type === "result") return parsed.data.result;
  return parsed.data.message.content.map(({ text }) => text).join("");
}
