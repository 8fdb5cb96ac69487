// Text in columns.
import { costText } from "../../../report/amounts.ts";
import { fit } from "./fit.ts";
import type { Printer } from "./terminal.ts";

export interface Column {
  title?: string;
  right?: boolean;
}

/** Rows in aligned columns, two blanks apart. In a terminal the last column is cut at its width. */
export function table(
  columns: readonly Column[],
  rows: readonly string[][],
  out: Pick<Printer, "isTerminal" | "width">,
): string {
  const titles = columns.map(({ title = "" }) => title);
  const all = titles.some((title) => title !== "") ? [titles, ...rows] : rows;
  const widths = columns.map((_, index) =>
    all.reduce((most, row) => Math.max(most, Bun.stringWidth(row[index] ?? "")), 0),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  // Some terminals add an empty line after text in the last column, so other texts are wrapped one column before, too.
  const room = out.isTerminal ? Math.max(10, out.width - 1 - before) : Number.POSITIVE_INFINITY;
  const lineOf = (row: readonly string[]) =>
    columns
      .map(({ right }, index) => {
        const cell = row[index] ?? "";
        if (index === columns.length - 1) return Number.isFinite(room) ? fit(cell, room) : cell;
        const padding = " ".repeat((widths[index] ?? 0) - Bun.stringWidth(cell));
        return right ? `${padding}${cell}` : `${cell}${padding}`;
      })
      .join("  ")
      .trimEnd();
  return all.map(lineOf).join("\n");
}

/** A cost; a dash if unknown. */
export function costCell(costUsd: number | undefined, atLeast = false): string {
  return costUsd === undefined ? "–" : costText(costUsd, atLeast);
}
