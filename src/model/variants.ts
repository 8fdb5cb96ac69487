// Tasks of one batch that differ only in their options, such as the model: what `matrix` makes, or a caller who gave the
// same prompt more than once.
import type { Batch, Task } from "./event.ts";

/** The tasks of a batch as a table: a row for each prompt, a column for each combination of options. */
export interface Variants {
  /** "model=opus, effort=high": the options that differ, as in the keys of a matrix. */
  columns: readonly string[];
  rows: readonly VariantRow[];
}

export interface VariantRow {
  /** The part of the key that its tasks share; absent if they have no keys. */
  key?: string;
  /** The numbers of its tasks (1-based), by column. */
  tasks: readonly (number | undefined)[];
}

/** The prompt without what retries have added to it: what a task is recognized by. */
export function originalPrompt({ prompt, appended = 0 }: Task): string {
  return appended === 0 ? prompt : prompt.slice(0, -appended);
}

/** Undefined if no two tasks differ in their options alone. */
export function variantsOf(batch: Batch): Variants | undefined {
  const groups = groupsOf(batch.tasks);
  const names = differingNames(batch, groups);
  if (names.length === 0) return undefined;
  const labels = batch.tasks.map((task) => labelOf(batch, task, names));
  const compared = groups.filter(({ length }) => length > 1).flat();
  const columns = [...new Set(compared.map((number) => labels[number - 1] ?? ""))];
  // A task that has nothing to do with them, and other options, would be a column by itself.
  const rows = groups
    .filter((numbers) => numbers.every((number) => columns.includes(labels[number - 1] ?? "")))
    .flatMap((numbers) => rowsOf(batch, { numbers, columns, labels }));
  return { columns, rows };
}

// Tasks with the same prompt, without summaries of others; those of a template, if they were made from the same item.
function groupsOf(tasks: readonly Task[]): number[][] {
  const groups = new Map<string, Map<string, number[]>>();
  const inOrder: number[][] = [];
  for (const [index, task] of tasks.entries()) {
    if (task.summary) continue;
    const prompt = originalPrompt(task);
    const ofPrompt = groups.get(prompt) ?? new Map<string, number[]>();
    groups.set(prompt, ofPrompt);
    const item = task.values?.["index"] ?? "";
    const group = ofPrompt.get(item);
    if (group) group.push(index + 1);
    else {
      const fresh = [index + 1];
      ofPrompt.set(item, fresh);
      inOrder.push(fresh);
    }
  }
  return inOrder;
}

/** Options that do not change what a session answers. */
const besideTheAnswer = new Set(["name", "retries"]);

// The options that differ within a group, in the order of the first task that has them.
function differingNames(batch: Batch, groups: readonly (readonly number[])[]): string[] {
  const names = new Set<string>();
  for (const numbers of groups) {
    if (numbers.length < 2) continue;
    const options = numbers.map((number) => batch.tasks[number - 1]?.options ?? {});
    for (const name of new Set(options.flatMap((one) => Object.keys(one)))) {
      const values = options.map((one) => valueText(one[name] ?? batch.sessionOptions[name]));
      if (!besideTheAnswer.has(name) && new Set(values).size > 1) names.add(name);
    }
  }
  return [...names];
}

function labelOf(batch: Batch, { options = {} }: Task, names: readonly string[]): string {
  return names.map((name) => `${name}=${valueText(options[name] ?? batch.sessionOptions[name])}`).join(", ");
}

function valueText(value: unknown): string {
  if (value === undefined) return "default";
  return typeof value === "string" ? value : JSON.stringify(value);
}

// The same prompt with the same options again begins another row.
function rowsOf(
  batch: Batch,
  {
    numbers,
    columns,
    labels,
  }: { numbers: readonly number[]; columns: readonly string[]; labels: readonly string[] },
): VariantRow[] {
  const rows: (number | undefined)[][] = [];
  for (const number of numbers) {
    const column = columns.indexOf(labels[number - 1] ?? "");
    let row = rows.find((one) => one[column] === undefined);
    if (!row) {
      row = columns.map(() => undefined);
      rows.push(row);
    }
    row[column] = number;
  }
  const key = sharedKey(numbers.map((number) => batch.tasks[number - 1]?.key));
  return rows.map((tasks) => ({ ...(key === undefined ? {} : { key }), tasks }));
}

// Keys of a matrix end with the combination in brackets.
function sharedKey(keys: readonly (string | undefined)[]): string | undefined {
  const [first] = keys;
  if (first === undefined) return undefined;
  const common = keys.reduce<string>((prefix, key = "") => commonBeginning(prefix, key), first);
  const end = common.lastIndexOf(" [");
  return keys.length > 1 && end > 0 ? first.slice(0, end) : first;
}

function commonBeginning(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return one.slice(0, at);
}
