// `list`: the batches of this user, newest first.
import type { z } from "zod";
import { completedCount } from "../../../model/state.ts";
import { endOfBatch, listBatches } from "../../../operations/batches.ts";
import type { Context } from "../../../operations/context.ts";
import { roughText } from "../../../report/amounts.ts";
import { endLabel } from "../../../report/batch-end.ts";
import { oneLine } from "../../../report/harmless.ts";
import { commandOf } from "../input/command.ts";
import { endColour, stateColours } from "../terminal/state-colours.ts";
import { costCell, table } from "../terminal/table.ts";
import type { Printer } from "../terminal/terminal.ts";

type Listed = z.output<typeof listBatches.output>["batches"][number];

export const list = commandOf(listBatches, {
  name: "list",
  otherNames: ["ls", "ps", "batches", "jobs", "history"],
  examples: [
    ["list", "List the newest batches"],
    ["list --limit 5 --json", "List five of them as JSON"],
  ],
  present: ({ batches, more }, { context, terminal: { out } }) => {
    if (batches.length === 0) return "There are no batches yet. Start one with `run`.";
    const rows = batches.map((batch) => {
      const { batchId, counts, totalTasks, totalCostUsd, costAtLeast, createdAt, name } = batch;
      const { failed } = counts;
      return [
        batchId,
        standing(batch, context, out),
        `${completedCount(counts)}/${totalTasks}`,
        failed > 0 ? out.paint("red", String(failed)) : "0",
        costCell(totalCostUsd, costAtLeast),
        roughText(Date.now() - Date.parse(createdAt)),
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
      { title: "NAME" },
    ];
    const rest = more ? "\nThere are older batches. Show them with `--offset` and `--limit`." : "";
    return `${table(columns, rows, out)}${rest}`;
  },
});

function standing({ batchId, state, counts, heldBecause }: Listed, context: Context, out: Printer): string {
  const end = endOfBatch(context, batchId, state);
  if (!end) return out.paint(stateColours[state], heldBecause === undefined ? state : "held");
  return out.paint(endColour(end), endLabel({ end, counts }));
}
