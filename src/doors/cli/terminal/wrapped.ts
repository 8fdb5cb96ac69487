// Wraps sentences at words for a terminal, which would break them anywhere.
import type { Printer } from "./terminal.ts";

/** Narrower terminals wrap by themselves. */
const narrowest = 24;
/** Continuation lines are indented by this much more, unless their text begins beyond `deepest`. */
const step = 2;
const deepest = 4;

/**
 * Blanks, and the word after them. Text in backticks stays whole for copying. If that is longer than a line, the terminal
 * breaks it and still copies it as one line; a line break of ours would start half a command, which may cost money.
 */
const words = /[ \t]*(?:`[^`]*`|\S)+/g;

/**
 * In a terminal, wraps each line at words and indents its further lines; elsewhere returns the text unchanged. With
 * `indent`, the text and all further lines begin in that column.
 */
export function wrapped(text: string, out: Pick<Printer, "isTerminal" | "width">, indent?: number): string {
  if (!out.isTerminal || out.width < narrowest) return text;
  // Some terminals add an empty line after text in the last column.
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
  return line === "" ? [] : Bun.wrapAnsi(line, width).split("\n");
}

// The first line fits beside `taken`, the others beside `margin`.
function broken(
  text: string,
  { width, taken, margin }: { width: number; taken: number; margin: number },
): string[] {
  if (taken + Bun.stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  let room = width - taken;
  for (const word of text.match(words) ?? []) {
    const longer = line + word;
    if (line.trim() !== "" && Bun.stringWidth(longer) > room) {
      lines.push(line);
      line = word.trimStart();
      room = width - margin;
    } else line = longer;
  }
  return [...lines, line];
}
