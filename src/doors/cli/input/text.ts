// Tasks as lines of text, and as checkboxes in a Markdown list.
import { FileFault, lineText } from "../../../operations/inputs/file-fault.ts";
import { listedLines } from "../../../operations/inputs/listed-lines.ts";
import type { FileTask } from "./file-task.ts";

/** One task on each line; skips blank lines. */
export function tasksFromLines(text: string): FileTask[] {
  return [...listedLines(text)].map(({ line, number }) => ({ task: line.trim(), place: lineText(number) }));
}

const box = /^(\s*)(?:[-*+]|\d+[.)])\s+\[([ xX])\](?:\s+|$)(.*)$/;

/** Whether a text has a list of checkboxes. */
export function hasBoxes(text: string): boolean {
  return text.split(/\r?\n/).some((line) => box.test(line));
}

/**
 * Each open box (`- [ ]`) is a task, with the indented text below it; a ticked one (`- [x]`) is done and skipped, with
 * what belongs to it. Everything else is a remark. A nested box is a task of its own.
 */
export function tasksFromMarkdown(text: string): FileTask[] {
  const found: { line: number; lines: string[] }[] = [];
  let ticked = 0;
  /** The open box that indented lines belong to, and its indentation; none below a ticked one. */
  let current: { indent: number; lines: string[] | undefined } | undefined;
  let fence: string | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const item = fence === undefined ? box.exec(line) : null;
    if (item) {
      const [, margin = "", sign = "", words = ""] = item;
      const lines = [words];
      if (sign === " ") found.push({ line: index + 1, lines });
      else ticked++;
      current = { indent: margin.length, lines: sign === " " ? lines : undefined };
      continue;
    }
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined) fence = fence === undefined ? mark : mark.startsWith(fence) ? undefined : fence;
    const margin = /^\s*/.exec(line)?.[0].length ?? 0;
    if (line.trim() !== "" && current && margin <= current.indent) current = undefined;
    current?.lines?.push(line);
  }
  if (found.length > 0)
    return found.map(({ line, lines }) => ({ place: lineText(line), task: dedented(lines) }));
  throw new FileFault(
    ticked > 0
      ? `it has no open task: ${ticked === 1 ? "its only box is" : `all ${ticked} boxes are`} ticked`
      : "it has no task: expected open checkboxes (`- [ ] what to do`)",
  );
}

function dedented([first = "", ...others]: readonly string[]): string {
  const margins = others
    .filter((line) => line.trim() !== "")
    .map((line) => /^\s*/.exec(line)?.[0].length ?? 0);
  const margin = margins.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  return [first, ...others.map((line) => line.slice(Math.min(margin, line.length)))].join("\n").trim();
}
