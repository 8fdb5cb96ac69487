// A table as CSV (RFC 4180, with line feeds).
import type { Cell } from "./answer-table.ts";

/** Heads and rows; a cell that is undefined is empty. */
export interface CsvTable {
  columns: readonly string[];
  rows(): Iterable<readonly Cell[]>;
}

/**
 * The lines of a table, one at a time. A spreadsheet computes a text that begins like a formula, and an answer may have
 * been written by an attacker, so such a text gets an apostrophe before it. Numbers stay numbers.
 */
export function* csvLines({ columns, rows }: CsvTable): Generator<string> {
  yield lineOf(columns);
  for (const row of rows()) yield lineOf(row);
}

function lineOf(cells: readonly Cell[]): string {
  return `${cells.map(textOf).join(",")}\n`;
}

function textOf(cell: Cell): string {
  if (cell === undefined) return "";
  const text = typeof cell === "string" && isFormula(cell) ? `'${cell}` : String(cell);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isFormula(text: string): boolean {
  return /^[=+\-@\t\r]/.test(text) && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
}
