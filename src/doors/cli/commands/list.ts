// `list`: the batches of this user, newest first.
import type { z } from "zod";
import { completedCount } from "../../../model/state.ts";
import { endOfBatch, listBatches } from "../../../operations/batches.ts";
import type { Context } from "../../../operations/context.ts";
import { costText, countText, numberText, roughText } from "../../../report/amounts.ts";
import { endLabel } from "../../../report/batch-end.ts";
import { oneLine } from "../../../report/harmless.ts";
import { modelsText } from "../../../report/models-text.ts";
import { commandOf } from "../input/command.ts";
import { endColour, stateColours } from "../terminal/state-colours.ts";
import { costCell, table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";

type Listed = z.output<typeof listBatches.output>["batches"][number];
type Spending = z.output<typeof listBatches.output>["spending"];

export const list = commandOf(listBatches, {
  name: "list",
  otherNames: ["ls", "ps", "batches", "jobs", "history"],
  examples: [
    ["list", "List the newest batches"],
    ["list --limit 5 --json", "List five of them as JSON"],
  ],
  isPaged: true,
  present: ({ batches, more, spending }, { context, terminal: { out } }) => {
    if (batches.length === 0) return "There are no batches yet. Start one with `run`.";
    const rows = batches.map((batch) => {
      const { batchId, counts, totalTasks, models, totalCostUsd, costAtLeast, createdAt, name } = batch;
      const { failed } = counts;
      return [
        batchId,
        standing(batch, context, out),
        `${completedCount(counts)}/${totalTasks}`,
        failed > 0 ? out.paint("red", String(failed)) : "0",
        costCell(totalCostUsd, costAtLeast),
        roughText(Date.now() - Date.parse(createdAt)),
        modelsText(models) ?? "–",
        oneLine(name ?? "", 200),
      ];
    });
    const columns = [
      { title: "BATCH" },
      { title: "STATE" },
      { title: "DONE", right: true },
      { title: "FAILED", right: true },
      { title: "COST", right: true },
      { title: "AGE", right: true },
      { title: "MODEL" },
      { title: "NAME" },
    ];
    const rest = more ? "\nThere are older batches. Show them with `--offset` and `--limit`." : "";
    return `${table(columns, rows, out)}\n${totalsText(batches, spending)}${rest}`;
  },
});

// "4 batches, 1 running: 120 of 300 tasks done, 12 failed, $3.20. All sessions: $4.10 today, $80.00 of $100.00 this month."
function totalsText(
  batches: readonly Listed[],
  { todayUsd, monthUsd, dailyBudgetUsd, monthlyBudgetUsd }: Spending,
): string {
  const sum = (count: (batch: Listed) => number) => batches.reduce((total, batch) => total + count(batch), 0);
  const running = batches.filter(({ state }) => state === "running").length;
  const failed = sum(({ counts }) => counts.failed);
  const cost = sum(({ totalCostUsd }) => totalCostUsd);
  const atLeast = batches.some(({ costAtLeast }) => costAtLeast);
  const of = (usd: number | undefined) => (usd === undefined ? "" : ` of ${costText(usd)}`);
  const done = sum(({ counts }) => completedCount(counts));
  return [
    `${countText(batches.length, "batch", "batches")}${running > 0 ? `, ${numberText(running)} running` : ""}:`,
    `${numberText(done)} of ${countText(
      sum(({ totalTasks }) => totalTasks),
      "task",
    )} done${failed > 0 ? `, ${numberText(failed)} failed` : ""}, ${costText(cost, atLeast)}.`,
    `All sessions: ${costText(todayUsd)}${of(dailyBudgetUsd)} today, ${costText(monthUsd)}${of(monthlyBudgetUsd)} this month.`,
  ].join(" ");
}

function standing({ batchId, state, counts, heldBecause }: Listed, context: Context, out: Printer): string {
  const end = endOfBatch(context, batchId, state);
  if (!end) return out.paint(stateColours[state], heldBecause === undefined ? state : "held");
  return out.paint(endColour(end), endLabel({ end, counts }));
}
