// `prune`: frees what old batches left in the state directory.
import { prune as operation } from "../../../operations/prune.ts";
import { bytesText, countText, roughText } from "../../../report/amounts.ts";
import { commandOf } from "../input/command.ts";
import { table } from "../terminal/table.ts";

/** How many things that a dry run would remove are listed; `--json` has them all. */
const mostListed = 30;

export const prune = commandOf(operation, {
  name: "prune",
  examples: [
    ["prune --dry-run", "Show what would be removed"],
    ["prune --older-than 7 --keep 20", "Keep one week, and at least twenty batches"],
  ],
  alone: ({ dryRun }) => dryRun,
  present: ({ dryRun, removed, failures, message }, { terminal: { out } }) => {
    const rows = removed
      .slice(0, mostListed)
      .map(({ batchId, endedAt, bytes }) => [
        batchId,
        endedAt === undefined ? "–" : roughText(Date.now() - Date.parse(endedAt)),
        bytesText(bytes),
      ]);
    const more = removed.length - rows.length;
    const columns = [{ title: "BATCH" }, { title: "ENDED", right: true }, { title: "SIZE", right: true }];
    return [
      ...(dryRun && rows.length > 0 ? [table(columns, rows, out)] : []),
      ...(dryRun && more > 0 ? [`${countText(more, "more", "more")}; \`--json\` lists them all.`] : []),
      message,
      ...failures.map((failure) => out.paint("red", `Not removed: ${failure}`)),
    ].join("\n");
  },
  status: ({ failures }) => (failures.length === 0 ? 0 : 1),
});
