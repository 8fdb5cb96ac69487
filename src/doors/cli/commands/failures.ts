// `failures`: which tasks fail most over batches that are alike.
import { reportFailures } from "../../../operations/failures.ts";
import { costText, numberText, timeText } from "../../../report/amounts.ts";
import { oneLine } from "../../../report/harmless.ts";
import { batchOrLatest, commandOf } from "../input/command.ts";
import { table } from "../terminal/table.ts";

export const failures = commandOf(reportFailures, {
  name: "failures",
  otherNames: ["flaky", "failing", "failed"],
  examples: [
    ["failures", "Show which tasks of the newest batch also failed in earlier ones like it"],
    ["failures nightly --batches 30", "Count over the last 30 batches with this name"],
  ],
  positionals: [
    { ...batchOrLatest, description: "A batch, or the name of several. Without it, the newest batch." },
  ],
  isPaged: true,
  // What only reads must not resume what was interrupted.
  alone: true,
  present: ({ rows, message }, { terminal: { out } }) => {
    if (rows.length === 0) return message;
    const cells = rows.map(({ task, runs, failed, retried, failedCostUsd, last }) => [
      `${numberText(failed)} of ${numberText(runs)}`,
      numberText(retried),
      costText(failedCostUsd),
      last ? timeText(Date.parse(last.at)) : "–",
      last ? `${last.batchId} ${last.taskIndex}` : "–",
      oneLine(task, 60),
      oneLine(last?.says ?? "Succeeded in the end.", 200),
    ]);
    const columns = [
      { title: "FAILED", right: true },
      { title: "RETRIED", right: true },
      { title: "COST", right: true },
      { title: "LAST" },
      { title: "BATCH, N" },
      { title: "TASK" },
      { title: "WHY" },
    ];
    return `${table(columns, cells, out)}\n${message}`;
  },
});
