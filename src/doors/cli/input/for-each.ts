// The flags that say what the tasks of a template are about.
import { z } from "zod";
import { shellQuoted } from "../../../model/shell-quoted.ts";
import { looksLikeJson } from "../../../operations/as-meant.ts";
import { patternFrom } from "../../../operations/inputs/pattern.ts";
import type { RawOptions } from "../../../operations/raw-options.ts";
import { pathAsMeant } from "../../../operations/written-path.ts";
import { UsageError } from "./command.ts";

/** Flags by the name of what they give: a part of `forEach`, or `matrix`. */
export const forEachFlags = z.object({
  forEach: z
    .array(z.string())
    .meta({
      description:
        "With `--template`: run one task for each file that matches, as in `'src/**/*.ts'`. `.gitignore` is respected. Gives `{{file}}`, `{{path}}`, `{{stem}}` and `{{dir}}`.",
      placeholder: "GLOB",
      flags: ["glob", "forEachFile", "files"],
    })
    .optional(),
  exclude: z
    .array(z.string())
    .meta({ description: "Leave out files that match.", placeholder: "GLOB", flags: ["not"] })
    .optional(),
  item: z
    .array(z.string())
    .meta({
      description: "With `--template`: run one task for this item. Gives `{{item}}`.",
      placeholder: "TEXT",
      flags: ["items", "forEachItem"],
    })
    .optional(),
  forEachLine: z
    .string()
    .meta({
      description:
        "With `--template`: run one task for each line of a file. `-` is standard input, as in `git ls-files | …`. Gives `{{item}}`.",
      placeholder: "FILE",
      flags: ["linesOf", "forEachLines"],
    })
    .optional(),
  forEachCsv: z
    .string()
    .meta({
      description:
        "With `--template`: run one task for each row of a CSV file, whose first row names the columns. `-` is standard input. Gives `{{COLUMN}}`.",
      placeholder: "FILE",
      flags: ["forEachRow"],
    })
    .optional(),
  forEachJsonl: z
    .string()
    .meta({
      description:
        "With `--template`: run one task for each object of a JSONL file. `-` is standard input. Gives `{{FIELD}}`.",
      placeholder: "FILE",
      flags: ["jsonl"],
    })
    .optional(),
  idColumn: z
    .string()
    .meta({
      description: "Column whose value is the key of a row (default: `id` or `key`, else the line).",
      placeholder: "NAME",
    })
    .optional(),
  forEachChanged: z
    .string()
    .meta({
      description:
        "With `--template`: run one task for each file that differs from this commit or branch, uncommitted and new ones included. `--for-each` and `--exclude` narrow them.",
      placeholder: "REF",
      flags: ["gitDiff", "changed"],
    })
    .optional(),
  forEachOf: z
    .string()
    .meta({
      description:
        "With `--template`: run one task for each result of an earlier batch. Gives `{{result}}`, the path of a file with the answer, and the placeholders of the earlier task.",
      placeholder: "BATCH",
    })
    .optional(),
  matrix: z
    .array(z.string())
    .meta({
      description:
        "Run each task with each of these values of an option: `model=opus,haiku`. Repeat it to combine options.",
      placeholder: "OPTION=VALUES",
    })
    .optional(),
});

/** What each part of `forEach` is called on a command line. */
export const forEachNames: Readonly<Record<string, string>> = {
  glob: "--for-each",
  exclude: "--exclude",
  items: "--item",
  linesOf: "--for-each-line",
  csv: "--for-each-csv",
  jsonl: "--for-each-jsonl",
  idColumn: "--id-column",
  gitDiff: "--for-each-changed",
  of: "--for-each-of",
};

/** Whether what the tasks are about comes from standard input. */
export function readsStandardInput(own: RawOptions): boolean {
  const { forEachLine, forEachCsv, forEachJsonl } = forEachFlags.parse(own);
  return [forEachLine, forEachCsv, forEachJsonl].includes("-");
}

interface Beside {
  isTemplate: boolean;
  /** Tasks on the command line. */
  words: readonly string[];
  /** Files of tasks. */
  files: readonly string[];
  /** The user's directory. */
  directory: string;
}

/** `forEach` and `matrix` as the operation takes them; undefined if there is no template. Throws `UsageError`. */
export function forEachGiven(own: RawOptions, beside: Beside): RawOptions | undefined {
  const given = forEachFlags.parse(own);
  const { directory, isTemplate, words, files } = beside;
  const path = (written: string | undefined) =>
    written === undefined || written === "-" ? written : pathAsMeant(written, directory);
  // Patterns start at the user's directory, as all paths on a command line.
  const from = (patterns: readonly string[] | undefined) =>
    patterns?.map((pattern) => (/[/\\]/.test(pattern) ? patternFrom(pattern, directory) : pattern));
  const parts = {
    glob: given.forEach?.map((pattern) => patternFrom(pattern, directory)),
    exclude: from(given.exclude),
    items: given.item,
    linesOf: path(given.forEachLine),
    csv: path(given.forEachCsv),
    jsonl: path(given.forEachJsonl),
    idColumn: given.idColumn,
    gitDiff: given.forEachChanged,
    of: given.forEachOf,
  };
  const forEach = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  const isEach = Object.keys(forEach).length > 0;
  if (!isTemplate && !isEach && given.matrix === undefined) return undefined;
  refuseTasks(words, files);
  return {
    ...(isEach ? { forEach } : {}),
    ...(given.matrix === undefined ? {} : { matrix: matrixOf(given.matrix) }),
  };
}

/** How many words to repeat in a message. */
const mostWords = 3;

// Most shells expand a pattern that is not in quotes, so that its files arrive as words.
function refuseTasks(words: readonly string[], files: readonly string[]): void {
  const [first] = words;
  if (first === undefined && files.length === 0) return;
  const items = words.slice(0, mostWords).map((word) => `--item ${shellQuoted(word)}`);
  const what = first === undefined ? "a file of tasks" : JSON.stringify(first);
  throw new UsageError([
    `${what} cannot be given beside --template, which makes the tasks. If ${first === undefined ? "its lines are" : "it is"} what a task is about, write ${
      first === undefined
        ? "`--for-each-line FILE`"
        : `\`${items.join(" ")}${words.length > mostWords ? " …" : ""}\``
    }. If your shell has expanded a pattern, put it in quotes: \`--for-each 'src/**/*.ts'\``,
  ]);
}

// `model=opus,haiku`, or a JSON list for values that have commas.
function matrixOf(written: readonly string[]): RawOptions {
  const matrix: Record<string, unknown[]> = {};
  for (const text of written) {
    const [, name, values] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || values === undefined)
      throw new UsageError([
        `--matrix was given as ${JSON.stringify(text)}: expected \`OPTION=VALUE,VALUE\`, as in \`model=opus,haiku\``,
      ]);
    matrix[name.trim()] = [...(matrix[name.trim()] ?? []), ...valuesIn(values.trim())];
  }
  return matrix;
}

function valuesIn(text: string): unknown[] {
  if (looksLikeJson(text)) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list;
    } catch {
      // No JSON after all: the option says what it expects instead.
    }
  }
  return text.split(",").map((value) => value.trim());
}
