// `spend`: what sessions have cost.
import { z } from "zod";
import { onStore } from "../../../operations/perform.ts";
import { reportSpending, spendInput, spending } from "../../../operations/spend/spend.ts";
import { kindHeadings, writeSpending } from "../../../operations/spend/spending-page.ts";
import { numberText } from "../../../report/amounts.ts";
import { type CsvTable, csvLines } from "../../../report/csv.ts";
import { oneLine } from "../../../report/harmless.ts";
import type { SpendingRow, SpendingSum } from "../../../report/spending-sums.ts";
import { type Command, checkUsage, commandOf, jsonFlag, pagerFlag } from "../input/command.ts";
import { costCell, table } from "../terminal/table.ts";
import { pageFaceOf } from "./page-face.ts";

const pageOptions = writeSpending.input.shape;

const own = z.object({
  json: jsonFlag.shape.json,
  csv: z.boolean().meta({ description: "Print the rows as CSV." }).optional(),
  page: pageOptions.page,
  open: pageOptions.open,
  pager: pagerFlag.shape.pager,
});

const face = commandOf(reportSpending, {
  name: "spend",
  otherNames: ["spending", "costs", "cost", "usage"],
  description:
    "Sums up what sessions have cost, in US dollars by list prices as Claude Code reports them, and their tokens. `prune` keeps these sums, so batches that it removed are included. Days begin at midnight here.",
  examples: [
    ["spend", "Show the costs of the last 30 days"],
    ["spend --since month --by model", "Show what each model has cost this month"],
    ["spend --since all --by month --csv > costs.csv", "Write a table of all months"],
    ["spend --open", "Show the costs as a chart in the browser"],
  ],
  isPaged: true,
  present: ({ by, rows, others, total, message }, { terminal: { out } }) => {
    if (rows.length === 0) return message;
    // What may be long comes last.
    const isLast = by === "directory";
    const cells = (of: string, sum: SpendingSum, name = "") => [
      ...(isLast ? [] : [of]),
      costCell(sum.costUsd, sum.costAtLeast),
      numberText(sum.sessions),
      numberText(sum.inputTokens + sum.cacheReadTokens + sum.cacheWrittenTokens),
      numberText(sum.outputTokens),
      ...(isLast ? [of] : []),
      ...(by === "batch" ? [name] : []),
    ];
    const heading = { title: kindHeadings[by].toUpperCase() };
    const columns = [
      ...(isLast ? [] : [heading]),
      { title: "COST", right: true },
      { title: "SESSIONS", right: true },
      { title: "TOKENS IN", right: true },
      { title: "OUT", right: true },
      ...(isLast ? [heading] : []),
      ...(by === "batch" ? [{ title: "NAME" }] : []),
    ];
    const listed = [
      ...rows.map((row) => cells(oneLine(row.of, 200), row, oneLine(row.name ?? "", 200))),
      ...(others ? [cells("others", others)] : []),
      cells("total", total),
    ];
    return `${table(columns, listed, out)}\n${message}`;
  },
});

const pageFace = pageFaceOf("spend", writeSpending);

export const spend: Command = {
  ...face,
  own,
  run: async (asked) => {
    if (pageFace.isAsked(asked)) return pageFace.run(asked);
    if (asked.own["csv"] !== true) return face.run(asked);
    const given = checkUsage(spendInput, asked.input);
    const { by, rows, others } = await onStore(asked.context, async () => spending(asked.context, given));
    const all = [...rows, ...(others ? [{ of: "others", ...others }] : [])];
    for (const line of csvLines(csvTable(by, all))) await asked.terminal.out.print(line.replace(/\n$/, ""));
    return 0;
  },
};

function csvTable(by: string, rows: readonly SpendingRow[]): CsvTable {
  const isNamed = by === "batch";
  const sums = Object.keys(sumColumns);
  return {
    columns: [by, ...(isNamed ? ["name"] : []), ...sums],
    rows: () =>
      rows.map((row) => [
        row.of,
        ...(isNamed ? [row.name] : []),
        ...Object.values(sumColumns).map((value) => value(row)),
      ]),
  };
}

const sumColumns = {
  costUsd: ({ costUsd }) => costUsd,
  costAtLeast: ({ costAtLeast }) => (costAtLeast ? "true" : "false"),
  sessions: ({ sessions }) => sessions,
  batches: ({ batches }) => batches,
  inputTokens: ({ inputTokens }) => inputTokens,
  outputTokens: ({ outputTokens }) => outputTokens,
  cacheReadTokens: ({ cacheReadTokens }) => cacheReadTokens,
  cacheWrittenTokens: ({ cacheWrittenTokens }) => cacheWrittenTokens,
} satisfies Record<keyof SpendingSum, (row: SpendingSum) => number | string>;
