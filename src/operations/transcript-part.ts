// A part of a transcript, in whole lines if they fit.
import type { TranscriptRange } from "../claude/transcript-lines.ts";
import { closeDescriptor, exists, openForReading, readAt } from "../platform/files.ts";

export interface TranscriptPart {
  text: string;
  /** Where the part ends and the next one begins, in bytes. */
  next: number;
  /** Of the whole, in bytes, as far as it is written. */
  size: number;
}

interface Wanted {
  /** Where in the range to begin, in bytes. */
  offset: number;
  mostBytes: number;
  /** What counts as the transcript. */
  range?: TranscriptRange;
}

/** At most this many bytes from an offset. A missing transcript counts as empty. */
export function transcriptPart(
  path: string,
  { offset, mostBytes, range: { from = 0, to = Number.POSITIVE_INFINITY } = {} }: Wanted,
): TranscriptPart {
  if (!exists(path)) return { text: "", next: 0, size: 0 };
  const size = Math.max(0, Math.min(Bun.file(path).size, to) - from);
  const buffer = new Uint8Array(Math.max(0, Math.min(mostBytes, size - offset)));
  const descriptor = openForReading(path);
  try {
    const bytes = buffer.subarray(0, readAt(descriptor, buffer, from + offset));
    const whole = offset + bytes.length < size ? wholeLines(bytes) : bytes;
    return { text: new TextDecoder().decode(whole), next: offset + whole.length, size };
  } finally {
    closeDescriptor(descriptor);
  }
}

// Of a line longer than the part, as many whole characters as fit.
function wholeLines(bytes: Uint8Array): Uint8Array {
  const end = bytes.lastIndexOf(10) + 1;
  if (end > 0) return bytes.subarray(0, end);
  // The last character begins at the last byte that is no continuation byte; it may extend past the part.
  let last = bytes.length - 1;
  while (last > 0 && ((bytes[last] ?? 0) & 0xc0) === 0x80) last--;
  return last > 0 ? bytes.subarray(0, last) : bytes;
}
