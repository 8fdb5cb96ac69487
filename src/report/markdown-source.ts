// Prepares Claude's Markdown for the renderer: takes footnotes out, sets the tags of folded parts apart, and makes formulas code.

/** A footnote. */
export interface Note {
  label: string;
  /** Its Markdown. */
  text: string;
}

/** Markdown without its footnotes, and these in the order of the text. */
export interface MarkdownSource {
  text: string;
  notes: readonly Note[];
}

/** What a label may contain, which a page shows nowhere. */
export const noteLabel = "[\\w.:+-]{1,60}";

const anything = /\[\^|<\/?(?:details|summary)|\$\$|\\\[/i;
const note = new RegExp(`^ {0,3}\\[\\^(${noteLabel})\\]:[ \\t]*(.*)$`);
const fence = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})/;
/** A line that does not continue a paragraph before it. */
const ownLine = /^\s*(?:$|#|>|[-*+] |\d{1,9}[.)] |\||`{3}|~{3}|\[\^)/;

/** Nothing within code changes. */
export function markdownSource(text: string): MarkdownSource {
  if (!anything.test(text)) return { text, notes: [] };
  const lines = text.split("\n");
  const kept: string[] = [];
  const notes: Note[] = [];
  let open = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const mark = fence.exec(line)?.[1] ?? "";
    if (open === "") open = mark;
    else if (mark.startsWith(open) && line.trimEnd().endsWith(mark)) open = "";
    const found = open === "" && mark === "" ? note.exec(line) : undefined;
    if (found) {
      const end = noteEnd(lines, at);
      const further = lines.slice(at + 1, end).map((one) => one.replace(/^(?: {1,4}|\t)/, ""));
      notes.push({ label: found[1] ?? "", text: [found[2], ...further].join("\n") });
      at = end - 1;
      continue;
    }
    const formula = open === "" ? formulaAt(lines, at) : undefined;
    if (formula) {
      kept.push(...formula.lines);
      at = formula.end - 1;
    } else if (open === "" && mark === "" && isOfDetails(line)) {
      const whole = withItsSummary(lines, at);
      kept.push(...apart(whole.line));
      at = whole.end - 1;
    } else kept.push(line);
  }
  return { text: kept.join("\n"), notes };
}

// Lines that continue its paragraph, and those that are indented, also after blank ones.
function noteEnd(lines: readonly string[], first: number): number {
  let end = first + 1;
  for (let at = first + 1; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.trim() === "") continue;
    const isIndented = /^(?: {2}|\t)/.test(line);
    const isParagraph = end === at && !ownLine.test(lines[at - 1] ?? "");
    if (!isIndented && (!isParagraph || ownLine.test(line))) break;
    end = at + 1;
  }
  return end;
}

/** Most lines of a formula. */
const longestFormula = 200;

// A formula on lines of its own, as a block of code, in which nothing is emphasis.
function formulaAt(lines: readonly string[], at: number): { lines: string[]; end: number } | undefined {
  const line = lines[at] ?? "";
  const [, margin = "", begin = "", rest = ""] = /^( {0,3})(\$\$|\\\[)(.*)$/.exec(line) ?? [];
  // Before a bracket, a backslash often only says that it is no link.
  if (begin === "" || (begin === "\\[" && rest.trim() !== "")) return undefined;
  const close = begin === "$$" ? "$$" : "\\]";
  const texts: string[] = [];
  for (let end = at; end < Math.min(lines.length, at + longestFormula); end++) {
    const text = (end === at ? rest : (lines[end] ?? "")).trimEnd();
    if (!text.endsWith(close)) {
      // Text behind the sign, in a paragraph that goes on, or a second beginning.
      if (text.includes(close) || (end > at && text.includes(begin))) return undefined;
      texts.push(text);
      continue;
    }
    texts.push(text.slice(0, -close.length));
    const shown = texts.map((one) => one.trimEnd()).filter((one) => one.trim() !== "");
    if (shown.length === 0 || shown.some((one) => one.includes("~~~"))) return undefined;
    return { lines: ["", `${margin}~~~math`, ...shown, `${margin}~~~`, ""], end: end + 1 };
  }
  return undefined;
}

function isOfDetails(line: string): boolean {
  return /^\s*<(?:\/?details|\/?summary)[\s>]/i.test(line) || /<\/details>\s*$/i.test(line);
}

/** Most lines of a summary. */
const longestSummary = 6;

// A summary on several lines, as one.
function withItsSummary(lines: readonly string[], at: number): { line: string; end: number } {
  const first = lines[at] ?? "";
  if (!/<summary>/i.test(first) || /<\/summary>/i.test(first)) return { line: first, end: at + 1 };
  for (let end = at + 1; end < Math.min(lines.length, at + longestSummary); end++)
    if (/<\/summary>/i.test(lines[end] ?? "")) {
      const others = lines.slice(at + 1, end + 1).map((line) => line.trim());
      return { line: [first.trimEnd(), ...others].join(" "), end: end + 1 };
    }
  return { line: first, end: at + 1 };
}

const tags = /(<details[^<>]*>|<\/details>|<summary>.{0,1000}?<\/summary>)/i;

// Each tag as a paragraph of its own, by which the rendered page knows it.
function apart(line: string): string[] {
  const margin = /^\s*/.exec(line)?.[0] ?? "";
  return line
    .split(tags)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "")
    .flatMap((piece) => ["", `${margin}${asWritten(piece)}`, ""]);
}

function asWritten(piece: string): string {
  if (/^<details/i.test(piece)) return /\sopen\b/i.test(piece) ? "<details open>" : "<details>";
  if (/^<\/details/i.test(piece)) return "</details>";
  const summary = /^<summary>(.*)<\/summary>$/i.exec(piece)?.[1];
  if (summary === undefined) return piece;
  return `<summary>${summary.replace(/<\/?(?:b|strong|i|em|u|h[1-6])>/gi, "").trim()}</summary>`;
}
