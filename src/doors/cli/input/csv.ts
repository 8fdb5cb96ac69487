// Tasks as rows: a column `task`, one for keys, one for what a task starts after, and one for each option that differs between rows.
import { z } from "zod";
import { sessionOptions } from "../../../model/options.ts";
import {
  cellsFault,
  declaredParts,
  declaresSeparator,
  rowsOf,
  separatorOf,
  withoutEmptyEnd,
} from "../../../operations/inputs/csv-rows.ts";
import { FileFault, lineText } from "../../../operations/inputs/file-fault.ts";
import { nearest } from "../../../operations/nearest.ts";
import type { FileTask } from "./file-task.ts";
import type { Flag } from "./flag.ts";
import { flagsOf, putValue, valueIn, wordedAs } from "./flags.ts";

/** A column: the property of its cells, or an unknown name. */
interface Column {
  written: string;
  property: string | undefined;
}

const flags = flagsOf(sessionOptions);

/** Columns that are no options of a session. */
const ofTasks = ["task", "key", "after"];

/**
 * Whether a first row names columns, with rows below it. One name may be misspelled: otherwise each row would become a
 * task, the header included.
 */
export function isTable(text: string): boolean {
  if (declaresSeparator(text)) return true;
  const [head = "", ...others] = text.split(/\r?\n/);
  const columns = columnsIn(head.split(separatorOf(head)).map(unquoted));
  const hasTask = columns.some(({ property }) => property === "task");
  const isHead = hasTask || (columns.length > 1 && columns.some(isKnown));
  const areNames = columns.every((column) => isKnown(column) || /^[\w-]+$/.test(column.written));
  return isHead && areNames && others.some((line) => line.trim() !== "");
}

/** Each row below the first is a task. An empty cell leaves the option to the batch; empty rows are skipped. */
export function tasksFromCsv(given: string, separatorGiven?: string): FileTask[] {
  const { text, separator: named, first } = declaredParts(given);
  const separator = named ?? separatorGiven ?? separatorOf(text);
  // With a single column, there is no separator: the whole row is the task.
  const isAlone = propertyOf(unquoted(text.split("\n", 1)[0] ?? "")) === "task";
  const [head, ...rows] = rowsOf(text, { separator: isAlone ? undefined : separator, first });
  const columns = columnsIn(head?.cells ?? []);
  checkColumns(columns, first);
  return rows.flatMap((row): FileTask[] => {
    const { line } = row;
    const cells = withoutEmptyEnd(row.cells, columns.length);
    if (cells.every((cell) => cell.trim() === "")) return [];
    if (cells.length > columns.length) throw cellsFault(cells.length, columns.length, separator, line);
    const task: Record<string, unknown> = {};
    for (const [index, column] of columns.entries()) {
      const cell = cells[index] ?? "";
      if (column.property === "task") task["task"] = cell;
      else if (cell.trim() === "") continue;
      else if (column.property === "key") task["key"] = cell.trim();
      else if (column.property === "after") task["after"] = namesIn(cell.trim());
      else putValue(task, ...optionOf(column, cell.trim(), line));
    }
    return [{ task, place: lineText(line) }];
  });
}

function columnsIn(names: readonly string[]): Column[] {
  return withoutEmptyEnd(names, 0).map((name) => ({ written: name.trim(), property: propertyOf(name) }));
}

function isKnown({ property }: Column): boolean {
  return property !== undefined;
}

function checkColumns(columns: readonly Column[], line: number): void {
  if (!columns.some(({ property }) => property === "task"))
    throw new FileFault("the first row needs a column `task`", line);
  const known = [...ofTasks, ...flags.map(({ property }) => property)];
  for (const [index, { written, property }] of columns.entries()) {
    if (property === undefined) {
      const near = nearest(written, known);
      throw new FileFault(
        `the column \`${written}\` is not known${near === undefined ? "" : `; did you mean \`${near}\`?`}`,
        line,
      );
    }
    if (columns.findIndex((one) => one.property === property) !== index)
      throw new FileFault(`the column \`${written}\` is there twice`, line);
  }
}

/** `maxTurns`, `max-turns`, `Max turns` and `MAX_TURNS` alike. */
function propertyOf(name: string): string | undefined {
  const bare = bareName(name);
  if (bare === "prompt") return "task";
  const own = ofTasks.find((one) => one === bare);
  if (own !== undefined) return own;
  return flags.find(({ property, aliases }) =>
    [property, ...aliases].some((one) => one.length > 1 && bareName(one) === bare),
  )?.property;
}

const nameList = z.array(z.coerce.string());

// Keys, names or numbers of tasks: `parse; count`, or a JSON list for those that have such signs.
function namesIn(cell: string): string[] {
  if (cell.startsWith("[")) {
    const list = nameList.safeParse(jsonIn(cell));
    if (list.success) return list.data;
  }
  return cell.split(/[;,]/).flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A name may begin with a bracket.
    return undefined;
  }
}

function unquoted(name: string): string {
  return name.replace(/^\s*"(.*)"\s*$/, "$1");
}

function bareName(name: string): string {
  return name.replace(/[\s_.-]+/g, "").toLowerCase();
}

function optionOf({ written, property }: Column, cell: string, line: number): [string, unknown] {
  const flag: Flag | undefined = flags.find((one) => one.property === property);
  if (!flag) throw new Error(`Internal error: the column ${written} was checked`);
  const read = valueIn(flag, cell);
  if (!read.ok) throw new FileFault(read.faults.map((fault) => wordedAs(fault, written)).join("; "), line);
  return [flag.property, read.value];
}
