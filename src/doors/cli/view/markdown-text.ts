// Claude's Markdown for a terminal with colours: the marks of Markdown become colours, and the words stay as they are written. Code
// has nothing before its lines, so that it can be copied.
import { z } from "zod";
import type { Printer } from "../terminal/terminal.ts";

type Style = Pick<Printer, "paint" | "width">;

// An answer may be long, and hostile: whatever is looked for in a line takes no more than a time that grows with it.
/** Most characters that two marks of strong words have between them. */
const longestStrong = 300;

/** Taken by commands that print answers. */
export const plainFlag = z.object({
  plain: z
    .boolean()
    .meta({
      description: "Print answers as they are written in a terminal, too, with the marks of Markdown.",
    })
    .optional(),
});

/** An answer for a printer: as it is written, unless that is a terminal with colours. */
export function shownMarkdown(
  text: string,
  out: Style & Pick<Printer, "isColoured">,
  isPlain = false,
): string {
  return out.isColoured && !isPlain ? markdownText(text, out) : text;
}

/** The text with colours instead of marks. Its lines stay as they are, as in a pipe: the terminal breaks them, and copies them whole. */
export function markdownText(text: string, out: Style): string {
  const lines = text.split("\n");
  const shown: string[] = [];
  let fence = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const [, mark = "", behind = ""] = /^\s*(`{3,}|~{3,})([^`]*)$/.exec(line) ?? [];
    const language = behind.trim();
    if (fence !== "") {
      if (mark.startsWith(fence) && language === "") fence = "";
      else shown.push(out.paint("cyan", line));
      continue;
    }
    if (mark !== "") {
      fence = mark;
      if (language !== "") shown.push(out.paint("faint", language));
      continue;
    }
    const end = tableEnd(lines, at);
    if (end > at) {
      shown.push(...tableLines(lines.slice(at, end), out));
      at = end - 1;
    } else shown.push(lineText(line, out));
  }
  return shown.join("\n");
}

function lineText(line: string, out: Style): string {
  const [, heading] = /^ {0,3}#{1,6}\s(.*)$/s.exec(line) ?? [];
  // Marks may end it, too, but not those of "C#".
  if (heading !== undefined)
    return out.paint(
      "bold",
      unmarked(
        heading
          .trim()
          .replace(/(?<!\S)#+$/, "")
          .trimEnd(),
      ),
    );
  if (/^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/.test(line))
    return out.paint("faint", "─".repeat(Math.max(1, Math.min(40, out.width - 1))));
  const [quotes] = /^(?: {0,3}>\s?)+/.exec(line) ?? [];
  if (quotes !== undefined) {
    const bars = `${out.paint("faint", "│")} `.repeat(quotes.split(">").length - 1);
    return `${bars}${lineText(line.slice(quotes.length), out)}`;
  }
  const listed = line
    .replace(/^(\s*)[-*+] \[ \] /, "$1☐ ")
    .replace(/^(\s*)[-*+] \[[xX]\] /, "$1☑ ")
    .replace(/^(\s*)[-*+] /, "$1• ");
  return inline(listed, out);
}

const strong = new RegExp(`(?<!\\w)(\\*\\*|__)(?=\\S)([\\s\\S]{1,${longestStrong}}?)(?<=\\S)\\1(?!\\w)`, "g");
const strongInHeading = new RegExp(`(\\*\\*|__)(?=\\S)(.{1,${longestStrong}}?)(?<=\\S)\\1`, "g");

/** Code, strong words, links. What is in code stays as it is. */
function inline(text: string, out: Style): string {
  return text
    .split(/(`[^`\n]+`)/)
    .map((piece, index) => {
      if (index % 2 === 1) return out.paint("cyan", piece.slice(1, -1));
      return piece
        .replace(strong, (_, _mark, words: string) => out.paint("bold", words))
        .replace(/!?\[([^\][]+)\]\((https?:\/\/[^\s()]+)\)/g, (_, words: string, address: string) =>
          words === address ? address : `${words} ${out.paint("faint", `(${address})`)}`,
        );
    })
    .join("");
}

// The same without colours, where the whole line has one.
function unmarked(text: string): string {
  return text.replace(strongInHeading, "$2").replace(/`([^`]+)`/g, "$1");
}

/** The line after the last one of the table that begins at this line; this line if there is none. */
function tableEnd(lines: readonly string[], at: number): number {
  const [head = "", rule = ""] = lines.slice(at, at + 2);
  const isTable =
    head.includes("|") && rule.includes("-") && /^\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?$/.test(rule.trim());
  if (!isTable) return at;
  let end = at + 2;
  while (lines[end]?.includes("|") && lines[end]?.trim() !== "") end++;
  return end;
}

// In columns, if they fit; else as it is written.
function tableLines(lines: readonly string[], out: Style): string[] {
  // Each column takes at least one place, and two to the next one.
  if (cellsOf(lines[0] ?? "").length * 3 - 2 > out.width - 1) return [...lines];
  const [head = [], rule = [], ...rows] = lines.map(cellsOf);
  // A cell of the head is as bold as the others.
  const shown = [head.map(unmarked), ...rows].map((row, at) =>
    head.map((_, column) => (at === 0 ? (row[column] ?? "") : inline(row[column] ?? "", out))),
  );
  const widths = head.map((_, column) =>
    shown.reduce((most, row) => Math.max(most, Bun.stringWidth(row[column] ?? "")), 1),
  );
  const whole = widths.reduce((sum, width) => sum + width + 2, -2);
  if (whole > out.width - 1) return [...lines];
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const padding = " ".repeat(Math.max(0, (widths[column] ?? 0) - Bun.stringWidth(cell)));
        return /^:?-+:$/.test(rule[column] ?? "") ? `${padding}${cell}` : `${cell}${padding}`;
      })
      .join("  ")
      .trimEnd();
  const [first = [], ...others] = shown;
  return [out.paint("bold", lineOf(first)), out.paint("faint", "─".repeat(whole)), ...others.map(lineOf)];
}

function cellsOf(line: string): string[] {
  return line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}
