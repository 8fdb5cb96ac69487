// A text of which a page shows only so much: its beginning and its end.
import { beginningOf } from "../../model/cut.ts";

export interface Excerpt {
  begin: string;
  /** How many characters are left out behind the beginning. */
  left: number;
  /** Empty if nothing is left out. */
  end: string;
}

/** How much of a cut text is its beginning. */
const beginningShare = 0.7;

/** The text, or its beginning and end: at most `most` characters. Neither keeps the whole text in memory. */
export function excerptOf(text: string, most: number): Excerpt {
  if (text.length <= most) return { begin: text, left: 0, end: "" };
  const begin = beginningOf(text, Math.floor(most * beginningShare));
  const end = text.slice(text.length - (most - begin.length)).replace(/^[\uDC00-\uDFFF]/, "");
  return { begin: detached(begin), left: text.length - begin.length - end.length, end: detached(end) };
}

/** How much of it is shown, in characters. */
export function lengthOf({ begin, end }: Excerpt): number {
  return begin.length + end.length;
}

/** A copy: what is cut from a text shares its memory, and would keep all of it. */
export function detached(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
