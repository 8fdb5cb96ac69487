// The table of what was checked.
import { handshakes } from "./use.ts";

/** A channel, and its result. */
export type Row = { channel: string } & (
  | {
      /** How long it took to install and to use it. */
      seconds: number;
      /** How many names the program answers under; none where it is not about the program. */
      names?: number;
      withoutBatch?: true | undefined;
      seen?: string | undefined;
    }
  | { notChecked: string }
  | { failed: string }
);

/** The rows as text, in columns. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    ["channel", "names", "handshake", "tools", "batch", "signal", "seconds", "seen"],
    ...rows.map(cellsOf),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  // The last column has no width, and what is one cell long belongs there alone.
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cellsOf(row: Row): string[] {
  if ("failed" in row) return [row.channel, "", "", "", "", "", "", `FAILED: ${row.failed}`];
  if ("notChecked" in row) return [row.channel, "", "", "", "", "", "", `not checked: ${row.notChecked}`];
  const batch = row.withoutBatch ? ["", ""] : ["3 of 3", "ends all"];
  const used = row.names === undefined ? ["", "", "", "", ""] : [`${row.names}`, handshakes, "yes", ...batch];
  return [row.channel, ...used, row.seconds.toFixed(1), row.seen ?? ""];
}
