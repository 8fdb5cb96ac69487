// Sentences for a terminal, broken between words: by itself it would break them anywhere.
import type { Printer } from "./terminal.ts";

/** A terminal that is narrower than this breaks by itself. */
const narrowest = 24;
/** Further lines of a sentence stand so far to the right of one that begins further left than `deepest`. */
const step = 2;
const deepest = 4;

/** Blanks, and a word behind them. */
const plainWords = /[ \t]*\S+/g;
/**
 * The same; what stands in backticks is copied, so that it stays whole. Where it is longer than a line, the terminal breaks
 * it and still copies it as one line; a line break of ours would start half a command, which may cost money.
 */
const words = /[ \t]*(?:`[^`]*`|\S)+/g;

/**
 * In a terminal, each line broken between words, with its further lines set in; elsewhere the text as it is. With
 * `indent`, the text begins in that column, and so do all further lines.
 */
export function wrapped(text: string, out: Pick<Printer, "isTerminal" | "width">, indent?: number): string {
  if (!out.isTerminal || out.width < narrowest) return text;
  // What fills the last column would be followed by an empty line in some terminals.
  const width = out.width - 1;
  const margin = indent === undefined ? undefined : " ".repeat(indent);
  return text
    .split("\n")
    .flatMap((line, index) => {
      const [own = ""] = /^ */.exec(line) ?? [];
      const further = margin ?? " ".repeat(own.length < deepest ? own.length + step : own.length);
      const begun = margin ?? "";
      const [first = "", ...others] = broken(line, { width, taken: begun.length, margin: further.length });
      return [
        index === 0 || margin === undefined ? first : `${margin}${first}`,
        ...others.map((one) => further + one),
      ];
    })
    .join("\n");
}

/** Text in lines of at most `width` columns, broken at blanks. */
export function wrap(text: string, width: number): string[] {
  const line = text.replace(/\s+/g, " ").trim();
  return line === "" ? [] : broken(line, { width, taken: 0, margin: 0 }, plainWords);
}

// The first line may be as wide as what is left beside `taken`; the others, beside `margin`.
function broken(
  text: string,
  { width, taken, margin }: { width: number; taken: number; margin: number },
  unit = words,
): string[] {
  if (taken + Bun.stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  let room = width - taken;
  for (const word of text.match(unit) ?? []) {
    const longer = line + word;
    if (line.trim() !== "" && Bun.stringWidth(longer) > room) {
      lines.push(line);
      line = word.trimStart();
      room = width - margin;
    } else line = longer;
  }
  return [...lines, line];
}
