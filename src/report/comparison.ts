// Two batches, or the variants of one, task by task: the answer of `compare_batches`, and what the terminal and the page
// show of it.
import { z } from "zod";
import { stateWords } from "../model/state-word.ts";
import { countText } from "./amounts.ts";

/**
 * What became of a task. `outcome`: it ended in another way. `changed`: the answer differs. `new` and `gone`: only one of
 * the batches has it. `unfinished`: it has not ended everywhere.
 */
export const changes = ["outcome", "changed", "new", "gone", "unfinished", "same"] as const;
export type Change = (typeof changes)[number];

/** A batch, or one variant within a batch: a column of the comparison. */
const side = z.object({
  name: z.string().meta({ description: "The batch's name, or the options of the variant." }),
  batchId: z.string(),
  state: z.enum(stateWords),
  tasks: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  unfinished: z.int(),
  costUsd: z.number(),
  costAtLeast: z.boolean().optional(),
  sessionMs: z.number().meta({ description: "Time of all sessions together." }),
  elapsedMs: z.number().optional().meta({ description: "From the start of the batch to its end." }),
});
export type Side = z.infer<typeof side>;

const fieldChange = z.object({
  path: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});

/** A field that differs; without `before` it came, without `after` it went. */
export type FieldChange = z.infer<typeof fieldChange>;

/** A task in one column. */
const cell = z.object({
  taskIndex: z.int().meta({ description: "1-based." }),
  outcome: z.string().meta({ description: "As in `results`; `queued` or `running` before the end." }),
  costUsd: z.number().optional(),
  durationMs: z.number().optional(),
  model: z.string().optional(),
  length: z.int().optional().meta({ description: "Length of the answer in characters." }),
  promptDiffers: z.boolean().optional(),
  differs: z
    .boolean()
    .optional()
    .meta({ description: "Whether the answer differs from that of the first column." }),
  diff: z.string().optional().meta({ description: "How it differs, line by line." }),
  fields: z.array(fieldChange).optional().meta({ description: "How it differs, if both answers are data." }),
  leftOut: z.int().optional().meta({ description: "How many characters of the difference are left out." }),
  unreadable: z.string().optional().meta({ description: "Why the answer cannot be read." }),
});
export type Cell = z.infer<typeof cell>;

const comparedTask = z.object({
  key: z.string(),
  change: z.enum(changes),
  answers: z
    .array(cell.nullable())
    .meta({ description: "One for each column; null where there is no such task." }),
});
export type ComparedTask = z.infer<typeof comparedTask>;

/** No list has it: models read answers without it, and it would cost context. `docs/reference.md` describes it. */
export const comparisonSchema = z
  .object({
    columns: z.array(side),
    counts: z.object({
      outcome: z.int(),
      changed: z.int(),
      new: z.int(),
      gone: z.int(),
      unfinished: z.int(),
      same: z.int(),
    } satisfies Record<Change, z.ZodInt>),
    matching: z.int(),
    tasks: z.array(comparedTask),
    nextOffset: z.int().optional(),
    message: z.string(),
  })
  .meta({ listed: [] });
export type Comparison = z.infer<typeof comparisonSchema>;

/** `ofTask`: of one task, without a number. `one` and `many`: behind a number. */
interface Words {
  ofTask: string;
  one: string;
  many: string;
}

const wordsOfBatches: Record<Change, Words> = {
  outcome: { ofTask: "outcome changed", one: "outcome changed", many: "outcomes changed" },
  changed: { ofTask: "answer changed", one: "answer changed", many: "answers changed" },
  new: { ofTask: "new", one: "new", many: "new" },
  gone: { ofTask: "gone", one: "gone", many: "gone" },
  unfinished: { ofTask: "not ended", one: "not ended", many: "not ended" },
  same: { ofTask: "same", one: "same", many: "same" },
};

// Variants run side by side: none of them comes first.
const wordsOfVariants: Record<Change, Words> = {
  ...wordsOfBatches,
  outcome: { ofTask: "outcomes differ", one: "outcome differs", many: "outcomes differ" },
  changed: { ofTask: "answers differ", one: "answer differs", many: "answers differ" },
};

type Columns = readonly Pick<Side, "batchId">[];

/** Whether the columns are variants of one batch. */
export function isOfVariants(columns: Columns): boolean {
  return new Set(columns.map(({ batchId }) => batchId)).size === 1;
}

/** The name for what became of a task. */
export function changeWords(columns: Columns, change: Change): string {
  return wordsFor(columns)[change].ofTask;
}

/** "1 answer changed", "2 answers changed". */
export function changeCountText(columns: Columns, change: Change, count: number): string {
  const { one, many } = wordsFor(columns)[change];
  return countText(count, one, many);
}

function wordsFor(columns: Columns): Record<Change, Words> {
  return isOfVariants(columns) ? wordsOfVariants : wordsOfBatches;
}

/** "2 outcomes changed, 1 answer changed, 33 same": only what there is, the most important first. */
export function countsLine(columns: Columns, counts: Comparison["counts"]): string {
  return changes
    .filter((change) => counts[change] > 0)
    .map((change) => changeCountText(columns, change, counts[change]))
    .join(", ");
}

/** The value of a field, in a few words. */
export function fieldText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
