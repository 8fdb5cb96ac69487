// Cuts text at a number of terminal columns, never inside a character. `Bun.sliceAnsi` (1.4.5) returns a column too many
// if a wide character is at the cut.

const plain = /^[\x20-\x7e]*$/;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** At most `width` columns of a text without escapes, with "…" if something was cut. */
export function fit(text: string, width: number): string {
  if (width <= 0) return "";
  if (plain.test(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  if (Bun.stringWidth(text) <= width) return text;
  let shown = "";
  let taken = 0;
  for (const { segment } of segmenter.segment(text)) {
    taken += Bun.stringWidth(segment);
    if (taken >= width) break;
    shown += segment;
  }
  return `${shown}…`;
}
