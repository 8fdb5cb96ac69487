// `list`: the batches of this user, newest first.
import { listBatches } from "../../operations/batches.ts";
import { oneLine } from "../../report/harmless.ts";
import { commandOf } from "./command.ts";
import { stateColours } from "./state-colours.ts";
import { ageText, costCell, table } from "./table.ts";

export const list = commandOf(listBatches, {
  name: "list",
  otherNames: ["ls", "ps", "batches", "jobs", "history"],
  examples: [
    ["list", "List the newest batches"],
    ["list --limit 5 --json", "List five of them as JSON"],
  ],
  present: ({ batches, more }, { terminal: { out } }) => {
    if (batches.length === 0) return "There are no batches yet. Start one with `run`.";
    const rows = batches.map((batch) => {
      const { batchId, state, counts, totalCostUsd, createdAt, name } = batch;
      const { succeeded, failed, cancelled, queued, running } = counts;
      const done = succeeded + failed + cancelled;
      return [
        batchId,
        out.paint(stateColours[state], batch.heldBecause === undefined ? state : "held"),
        `${done}/${done + queued + running}`,
        failed > 0 ? out.paint("red", String(failed)) : "0",
        costCell(totalCostUsd),
        ageText(Date.now() - Date.parse(createdAt)),
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
