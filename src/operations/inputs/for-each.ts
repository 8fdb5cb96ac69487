// What a template takes besides its text: one source of tasks, options to combine, their order and their number.
import { z } from "zod";
import { sessionOptions } from "../../model/options.ts";

/** Most tasks of one batch. */
export const mostTasks = 10_000;

/** Most tasks of a template, unless more are allowed: a wrong pattern must not start thousands of sessions. */
const usualTasks = 1_000;

const text = z.string().min(1);
const texts = z.union([text, z.array(text).min(1)]);

/** Where the tasks of a template come from. */
export const forEachInput = z.strictObject(
  {
    glob: texts.meta({ aliases: ["globs", "files", "pattern", "patterns", "include"] }).optional(),
    exclude: z
      .union([text, z.array(text)])
      .meta({ aliases: ["ignore", "not"] })
      .optional(),
    items: z
      .array(z.union([text, z.record(z.string(), z.unknown())]))
      .min(1)
      .meta({ aliases: ["item", "values", "list", "rows"] })
      .optional(),
    linesOf: text.meta({ aliases: ["lines", "line"] }).optional(),
    csv: text.optional(),
    jsonl: text.meta({ aliases: ["ndjson"] }).optional(),
    gitDiff: text.meta({ aliases: ["diff", "changed", "changedSince"] }).optional(),
    of: text.meta({ aliases: ["batch", "batchId", "resultsOf"] }).optional(),
    idColumn: text.meta({ aliases: ["id", "key", "keyColumn"] }).optional(),
  },
  'expected an object such as `{"glob": "src/**/*.ts"}`',
);
export type ForEach = z.output<typeof forEachInput>;

/** One or several. */
export function listOf(given: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof given === "string" ? [given] : given;
}

/** The names of the sources; exactly one is given, except that `gitDiff` may have a `glob`. */
export const sources = ["glob", "items", "linesOf", "csv", "jsonl", "gitDiff", "of"] as const;
export type Source = (typeof sources)[number];

// Values of variables are secret, and these would be in the key of each task.
const { env: _, ...combinable } = sessionOptions.shape;

/** Options to combine: each task is run once for each combination of their values. */
const matrixInput = z.strictObject(
  Object.fromEntries(
    Object.entries(combinable).map(([name, schema]) => [name, z.array(bare(schema)).min(1).optional()]),
  ),
  'expected an object such as `{"model": ["opus", "sonnet"]}`',
);
export type Matrix = z.output<typeof matrixInput>;

// Without a default, and not optional: each value is given.
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? bare(schema.unwrap()) : schema;
}

export const orders = ["given", "shuffle", "small-first", "failed-first"] as const;
export type Order = (typeof orders)[number];

/** What only a batch from a template takes. */
export const templateOptions = {
  template: z
    .string()
    .refine((given) => given.trim() !== "", "must not be empty")
    .meta({
      description: "Instead of `tasks`: the prompt for each item of `forEach`, as in `Review {{file}}`.",
      more: "A literal `{{` is written `{{{{`.",
      placeholder: "TEXT",
      verbatim: true,
      hints: ["promptTemplate", "taskTemplate"],
    })
    .optional(),
  forEach: forEachInput
    .meta({
      description:
        "One of `glob` (with `exclude`), `items`, `linesOf`, `csv`, `jsonl` (with `idColumn`), `gitDiff` (a ref), `of` (a batch).",
      more: "A file gives `{{file}}`, `{{path}}`, `{{stem}}`, `{{dir}}`; an item or a line `{{item}}`; a row its columns; a result `{{result}}`, the path of the answer.",
      listed: "required",
    })
    .optional(),
  matrix: matrixInput
    .meta({
      description: 'Runs each combination: `{"model": ["opus", "haiku"]}`.',
      more: "Takes every option of a session except `env`.",
      listed: "required",
    })
    .optional(),
};

/** The same, for people: the list of tools does not have them. */
export const templateLimits = {
  maxTasks: z
    .int()
    .min(1)
    .max(mostTasks)
    .meta({
      description: "Maximum number of tasks that a template may make. More are refused, and nothing starts.",
      listed: false,
    })
    .default(usualTasks),
  order: z
    .enum(orders)
    .meta({
      description:
        "Order of a template's tasks: as found, at random, smallest file first, or first those that failed in the newest earlier batch of the same template.",
      listed: false,
    })
    .default("given"),
};
