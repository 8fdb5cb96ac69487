// Reads the text of an answer out of its line, or a part of it: a line may have 50 MB, and a reader wants a page.
import { z } from "zod";
import { closeDescriptor, openForReading, readAt } from "../platform/files.ts";
import { beginOfString, endOfString } from "./json-scan.ts";

const chunkBytes = 256 * 1024;
// One buffer serves all reading: it is synchronous, and text is decoded out of it at once.
const chunk = new Uint8Array(chunkBytes);
/** What may stand before the text of a result that is not read whole; of more, nothing is said. */
const longestFieldsBytes = 256 * 1024 * 1024;

/** Characters (UTF-16 units) of a text: `from` is the first, 0 the beginning. */
export interface TextRange {
  from: number;
  characters: number;
}

export interface TextPart {
  text: string;
  /** Of the whole text, in characters, where its end has been seen. Without it, there is more. */
  length?: number;
}

/**
 * A part of the text of the `result` line, or the assistant's message, that begins at `offset`. No more of the line is read than up to the end
 * of the part, and no more kept than the part. Throws when the transcript is not there.
 */
export function readAnswerPart(transcript: string, offset: number, range: TextRange): TextPart {
  const descriptor = openForReading(transcript);
  try {
    return partOfLine(new LineBytes(descriptor, offset), range);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** The part of a text that is at hand. */
export function partOfText(text: string, { from, characters }: TextRange): TextPart {
  return { text: text.slice(from, from + characters), length: text.length };
}

function partOfLine(line: LineBytes, range: TextRange): TextPart {
  let head = line.next(chunkBytes);
  // Twice as much each time, so that looking from the beginning again costs no more than reading does.
  while (!line.ended && beginOfString(head, "result") === undefined) {
    if (head.length > longestFieldsBytes) return { text: "", length: 0 };
    head += line.next(head.length);
  }
  if (line.ended) return partOfText(textOfWhole(head), range);
  return partOfString(head.slice(beginOfString(head, "result")), line, range);
}

// `pending` begins in the JSON string that is the text; the line goes on with the rest of it.
function partOfString(begin: string, line: LineBytes, { from, characters }: TextRange): TextPart {
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

// Where JSON text can be cut without cutting an escape. A backslash behind an odd number of others is escaped itself.
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

// What Claude said in a turn whose result is empty stands in a message of its own.
function textOfWhole(line: string): string {
  const parsed = wholeLine.safeParse(JSON.parse(line));
  if (!parsed.success) return "";
  if (parsed.data.type === "result") return parsed.data.result;
  return parsed.data.message.content.map(({ text }) => text).join("");
}

/** A line as text, piece by piece, no character ever cut. */
class LineBytes {
  readonly #descriptor: number;
  readonly #decoder = new TextDecoder();
  #position: number;
  #ended = false;

  constructor(descriptor: number, offset: number) {
    this.#descriptor = descriptor;
    this.#position = offset;
  }

  /** Whether the line's end, or the file's, has been read. */
  get ended(): boolean {
    return this.#ended;
  }

  next(bytes: number): string {
    const buffer = bytes > chunk.length ? new Uint8Array(bytes) : chunk;
    const read = buffer.subarray(0, readAt(this.#descriptor, buffer, this.#position));
    this.#position += read.length;
    const end = read.indexOf(10);
    this.#ended = end >= 0 || read.length === 0;
    return this.#decoder.decode(end < 0 ? read : read.subarray(0, end), { stream: !this.#ended });
  }
}
