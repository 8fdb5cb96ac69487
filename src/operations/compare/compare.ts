// Compares two batches, or the variants of one.
import { z } from "zod";
import { countText, numberText } from "../../report/amounts.ts";
import {
  type Change,
  type Comparison,
  changes,
  comparisonSchema,
  countsLine,
} from "../../report/comparison.ts";
import { optionText } from "../../report/option-words.ts";
import { batchIdInput } from "../batch-input.ts";
import { commandLineCharacters } from "../client-limits.ts";
import { type Context, valueOrThrow } from "../context.ts";
import { check } from "../faults.ts";
import { fitting, leastEach } from "../fitting.ts";
import { readsOnly, type Tool } from "../operation.ts";
import { Differences, taskOf } from "./cells.ts";
import { type ComparedRow, comparedRows, isFailed } from "./compared-rows.ts";
import { type Table, tableOf } from "./sides.ts";

const filters = ["different", ...changes, "failed", "all"] as const;

/** Which tasks are compared, and which of them are wanted. */
const comparedInput = z.strictObject({
  batchId: batchIdInput.meta({
    ...batchIdInput.meta(),
    description: "Earlier batch.",
  }),
  otherBatchId: batchIdInput
    .meta({
      description: "Later batch.",
      aliases: ["other", "otherBatch", "with", "to"],
    })
    .optional(),
  only: z
    .enum(filters)
    .meta({
      description: "Which tasks to list.",
      more: "`different`: all but the same; `outcome`: those that ended in another way; `changed`: those with another answer; `failed`: those that failed in the later batch, or in any variant.",
    })
    .default("different"),
});
type ComparedInput = z.output<typeof comparedInput>;

/** What the answer and the page are asked for. */
export const compareInput = comparedInput
  .extend({
    offset: z.int().min(0).meta({ description: "How many of them to skip." }).default(0),
    limit: z.int().min(1).meta({ description: "Most tasks to list." }).optional(),
  })
  .meta({ listed: ["batchId", "otherBatchId"] });

/** For clients, in characters: a model reads the next tasks if it wants them. */
const mostForModels = 40_000;

export const compareBatches: Tool<typeof compareInput, typeof comparisonSchema> = {
  name: "compare_batches",
  title: "Compare batches",
  when: "Use this to see what differs between batches.",
  description: "Compares two batches task by task, or the variants in one.",
  input: compareInput,
  output: comparisonSchema,
  annotations: readsOnly,
  run: async (context, input, { limits }) => {
    const asked = valueOrThrow(check(compareInput, input));
    const { table, rows, matching } = await compared(context, asked);
    const mostCharacters = limits ? Math.min(limits.answerCharacters, mostForModels) : commandLineCharacters;
    const differences = new Differences(mostCharacters);
    const answerWith = (shown: readonly ComparedRow[], characters: number): Comparison => {
      const tasks = shown.map((row) => taskOf(row, differences, characters));
      const next = asked.offset + tasks.length;
      const isMore = next < matching.length && tasks.length > 0;
      return {
        columns: table.columns,
        counts: countsOf(rows),
        matching: matching.length,
        tasks,
        ...(isMore ? { nextOffset: next } : {}),
        message: [
          summaryText(table, rows),
          ...(isMore && context.door === "tools"
            ? [
                `The next of ${numberText(matching.length)} tasks: ${optionText(context.door, "offset", next)}.`,
              ]
            : []),
        ].join(" "),
      };
    };
    const most = Math.min(asked.limit ?? matching.length, Math.floor(mostCharacters / leastEach));
    const items = matching.slice(asked.offset, asked.offset + most);
    // The command line has no limit but that of all differences together, which `differences` keeps.
    if (!limits) return answerWith(items, Number.POSITIVE_INFINITY);
    return fitting({ mostCharacters, items, lengthOf: (row) => differences.lengthOf(row) }, answerWith);
  },
};

interface Compared {
  table: Table;
  /** All of them, the most important ones first. */
  rows: ComparedRow[];
  /** Those that were asked for. */
  matching: ComparedRow[];
}

/** Reads and compares all answers. Throws `UserError` if there is nothing to compare. */
export async function compared(context: Context, asked: ComparedInput): Promise<Compared> {
  const table = tableOf(context, asked.batchId, asked.otherBatchId);
  const rows = await comparedRows(table);
  const matching = rows.filter((row) => fits(row, asked.only, table.isOfVariants));
  return { table, rows, matching };
}

function fits(row: ComparedRow, only: ComparedInput["only"], isOfVariants: boolean): boolean {
  if (only === "all") return true;
  if (only === "different") return row.change !== "same";
  if (only === "failed") return isFailed(row, isOfVariants);
  return row.change === only;
}

/** How many rows there are of each kind. */
export function countsOf(rows: readonly ComparedRow[]): Comparison["counts"] {
  const counts: Record<Change, number> = { outcome: 0, changed: 0, new: 0, gone: 0, unfinished: 0, same: 0 };
  for (const { change } of rows) counts[change]++;
  return counts;
}

/** "Of 40 tasks: 2 outcome changed, 38 same. Batch b4k2 is still running: 3 tasks have not ended." */
export function summaryText({ unended, columns }: Table, rows: readonly ComparedRow[]): string {
  const notes = unended.map(({ batchId, word, open }) => {
    const tasks = `${countText(open, "task")} ${open === 1 ? "has" : "have"} not ended`;
    return ` Batch ${batchId} is ${word === "running" ? "still running" : word}: ${tasks}.`;
  });
  return `Of ${countText(rows.length, "task")}: ${countsLine(columns, countsOf(rows))}.${notes.join("")}`;
}
