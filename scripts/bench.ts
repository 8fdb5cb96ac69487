// Measures what the program costs, and prints one table. Run `bun run bench`, or `bun run bench task start`.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { call } from "./bench/call.ts";
import { compare } from "./bench/compare.ts";
import { door } from "./bench/door.ts";
import { fleet } from "./bench/fleet.ts";
import { ideal } from "./bench/ideal.ts";
import { loops } from "./bench/loops.ts";
import { macos } from "./bench/macos.ts";
import { hundred, many } from "./bench/many.ts";
import { memory } from "./bench/memory.ts";
import { page } from "./bench/page.ts";
import { realBatch, realMany, realPrefix } from "./bench/real-batch.ts";
import { reportText } from "./bench/report.ts";
import { type Line, type Row, Skipped } from "./bench/row.ts";
import { session } from "./bench/session.ts";
import { start } from "./bench/start.ts";
import { taskCost } from "./bench/task-cost.ts";
import { terminalView } from "./bench/terminal-view.ts";
import { ui } from "./bench/ui.ts";
import { Workshop } from "./bench/workshop.ts";

const rows: Row[] = [
  taskCost,
  loops,
  many,
  hundred,
  ideal,
  memory,
  start,
  call,
  door,
  terminalView,
  page,
  session,
  ui,
  macos,
  fleet,
  compare,
  realBatch,
  realMany,
  realPrefix,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** How often ours and the bare loop take turns. */
    rounds: { type: "string", default: "3" },
    tasks: { type: "string", default: "2000" },
    concurrency: { type: "string", default: "16" },
    /** An executable to measure instead of the sources: for comparing two builds. */
    program: { type: "string" },
    /** Another checkout, whose program `compare` measures in turns with that of this one. */
    beside: { type: "string" },
    /** Also write the table to this document. */
    write: { type: "string" },
  },
});

const unknown = positionals.filter((name) => !rows.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(`No such row: ${unknown.join(", ")}. There are ${rows.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}
const extent = {
  rounds: Number(values.rounds),
  tasks: Number(values.tasks),
  concurrency: Number(values.concurrency),
};
const [program, beside] = [values.program, values.beside].map((path) => path && resolve(path));
using workshop = new Workshop(extent, { program, beside });
const lines: Record<string, Line[]> = {};
for (const row of rows) {
  if (positionals.length > 0 && !positionals.includes(row.name)) continue;
  lines[row.name] = await linesOf(row);
  // After each row, for a run that is cut off has measured for half an hour.
  await writeReport();
}
console.log(tableText(lines));

async function writeReport(): Promise<void> {
  if (values.write === undefined) return;
  const besides = values.beside === undefined ? [] : ["--beside ../other-checkout"];
  const repeat = ["bun run bench", ...positionals, ...besides].join(" ");
  await Bun.write(values.write, await reportText(lines, repeat));
}

async function linesOf(row: Row): Promise<Line[]> {
  try {
    return await row.measure(workshop);
  } catch (error) {
    if (error instanceof Skipped) return [{ figure: "skipped", value: error.message }];
    throw error;
  }
}

function tableText(measured: Record<string, Line[]>): string {
  const cells = Object.entries(measured).flatMap(([name, found]) =>
    found.map(({ figure, value, beside = "", ratio, target = "", met }) => [
      name,
      figure,
      value,
      beside,
      ratio?.toFixed(2) ?? "",
      target,
      met === undefined ? "" : met ? "met" : "missed",
    ]),
  );
  const all = [["row", "figure", "ours", "beside", "ratio", "target", ""], ...cells];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0))) ?? [];
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
