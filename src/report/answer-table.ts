// The results of a batch as a table: a row for each task, and a column for each field of its answers, where those are data.

import { isDeeperThan, isRecord } from "../model/json-values.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import type { ResultEntry } from "./answer.ts";
import { outcomeWord } from "./outcome-words.ts";

/** What a cell can hold: data without parts, or nothing. Values with parts are JSON. */
export type Cell = string | number | boolean | undefined;

/** A table whose rows are made one at a time, because answers may be long. */
export interface AnswerTable {
  columns: readonly string[];
  rows(): Generator<Cell[]>;
}

/** More fields than this are left out: no program shows them, and a database takes no more than 2,000 columns. */
export const mostFields = 500;

/** Longer data nested in an answer is no cell. */
const deepest = 100;

interface TableRequest {
  tasks: readonly DoneTask[];
  /** A field of the answers that is a list: then each of its items is a row. */
  list?: string | undefined;
  /** The entry of a task, with its whole text. */
  entryOf(task: DoneTask): ResultEntry;
}

/** The fields of the answers, in the order in which they first appear, and how many more there are. */
export interface Fields {
  names: string[];
  leftOut: number;
}

/** The answer of a task as data; undefined if it has none. */
export function dataOf({ outcome }: DoneTask): unknown {
  return outcome.kind === "succeeded" ? outcome.structured : undefined;
}

/** The fields of all answers that are objects, or of the items of their list. */
export function fieldsOf(tasks: readonly DoneTask[], list?: string): Fields {
  const names = new Set<string>();
  for (const task of tasks)
    for (const item of itemsOf(dataOf(task), list))
      if (isRecord(item)) for (const name of Object.keys(item)) names.add(name);
  return { names: [...names].slice(0, mostFields), leftOut: Math.max(0, names.size - mostFields) };
}

/** Whether any answer has this list. */
export function hasList(tasks: readonly DoneTask[], list: string): boolean {
  return tasks.some((task) => Array.isArray(fieldOf(dataOf(task), list)));
}

/** The lists that answers have, for suggestions. */
export function listsIn(tasks: readonly DoneTask[]): string[] {
  const names = new Set<string>();
  for (const task of tasks) {
    const data = dataOf(task);
    if (isRecord(data))
      for (const [name, value] of Object.entries(data)) if (Array.isArray(value)) names.add(name);
  }
  return [...names];
}

/**
 * The whole table. Facts of a task precede its fields, and what it cost and where it is follow. A field with the name of a
 * fact is called `answer.NAME`.
 */
export function answerTable(state: BatchState, { tasks, list, entryOf }: TableRequest): AnswerTable {
  const hasKeys = tasks.some(({ number }) => state.batch.tasks[number - 1]?.key !== undefined);
  const fields = fieldsOf(tasks, list).names;
  const hasText =
    list === undefined && tasks.some((task) => task.outcome.kind === "succeeded" && !isRecord(dataOf(task)));
  const hasItems =
    list !== undefined && tasks.some((task) => itemsOf(dataOf(task), list).some((item) => !isRecord(item)));
  const first = [...(hasKeys ? ["key"] : []), "task", "status", "outcome"];
  const middle = [...(hasText ? ["answer"] : []), ...(hasItems ? ["item"] : [])];
  const last = ["error", "costUsd", "durationMs", "model", "resultFile"];
  const taken = new Set([...first, ...middle, ...last]);
  const named = fields.map((field) => (taken.has(field) ? `answer.${field}` : field));
  return {
    columns: [...first, ...named, ...middle, ...last],
    *rows() {
      for (const task of tasks) {
        const entry = entryOf(task);
        const facts = [...(hasKeys ? [entry.key] : []), task.number, entry.status, outcomeWord(task)];
        const ends = [entry.error, entry.costUsd, entry.durationMs, entry.model, entry.resultFile];
        for (const item of itemsOf(dataOf(task), list)) {
          const record = isRecord(item) ? item : {};
          yield [
            ...facts,
            ...fields.map((field) => cellOf(Object.hasOwn(record, field) ? record[field] : undefined)),
            ...(hasText ? [isRecord(item) ? undefined : entry.result] : []),
            ...(hasItems ? [isRecord(item) ? undefined : cellOf(item)] : []),
            ...ends,
          ];
        }
      }
    },
  };
}

// What the rows of a task are made of: its answer, or the items of a list in it.
function itemsOf(data: unknown, list: string | undefined): readonly unknown[] {
  if (list === undefined) return [data];
  const items = fieldOf(data, list);
  return Array.isArray(items) ? items : [];
}

function fieldOf(data: unknown, name: string): unknown {
  return isRecord(data) && Object.hasOwn(data, name) ? data[name] : undefined;
}

/** A value as a cell. */
export function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return isDeeperThan(value, deepest) ? "(nested too deeply)" : JSON.stringify(value);
}
