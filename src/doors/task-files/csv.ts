// Tasks as rows: a column `task`, and a column for each option that differs from row to row.
import { sessionOptions } from "../../model/options.ts";
import { valueMeant } from "../../operations/as-meant.ts";
import { nearest } from "../../operations/faults.ts";
import { type Flag, flagsOf, parseFlags } from "../flags.ts";
import { FileFault, type FileTask } from "./file-task.ts";

interface Row {
  cells: string[];
  line: number;
}

const flags = flagsOf(sessionOptions);

/** The columns that a first row names; nothing where it names none, or something else too. */
export function columnsOf(text: string): string[] | undefined {
  const [head = ""] = text.split(/\r?\n/, 1);
  const names = head.split(separatorOf(head)).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
  const known = names.every((name) => name === "task" || flagOf(name));
  return names.length > 1 && names.includes("task") && known ? names : undefined;
}

/** Each row below the first is a task; empty cells leave an option to the batch, and empty rows are passed over. */
export function tasksFromCsv(text: string, separator = separatorOf(text)): FileTask[] {
  const [head, ...rows] = rowsOf(text, separator);
  const names = (head?.cells ?? []).map((name) => name.trim());
  checkNames(names);
  return rows.flatMap(({ cells, line }): FileTask[] => {
    if (cells.every((cell) => cell.trim() === "")) return [];
    if (cells.length > names.length)
      throw new FileFault(
        `${cells.length} cells in ${names.length} columns; put text with a ${separator === "\t" ? "tab" : `\`${separator}\``} in quotes`,
        line,
      );
    const entries = names.flatMap((name, index): [string, unknown][] => {
      const cell = cells[index] ?? "";
      if (name === "task") return [["task", cell]];
      return cell.trim() === "" ? [] : [optionOf(name, cell.trim(), line)];
    });
    return [{ task: Object.fromEntries(entries), line }];
  });
}

function checkNames(names: readonly string[]): void {
  if (!names.includes("task")) throw new FileFault("the first row needs a column `task`", 1);
  const known = ["task", ...flags.map(({ property }) => property)];
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw new FileFault(`the column \`${name}\` is there twice`, 1);
    if (name === "task" || flagOf(name)) continue;
    const near = nearest(name, known);
    throw new FileFault(
      `the column \`${name}\` is not known${near === undefined ? "" : `; did you mean \`${near}\`?`}`,
      1,
    );
  }
}

/** `maxTurns` and `max-turns` alike. */
function flagOf(name: string): Flag | undefined {
  return flags.find((flag) => flag.property === name || flag.name === name);
}

function optionOf(name: string, cell: string, line: number): [string, unknown] {
  const flag = flagOf(name);
  if (!flag) throw new Error(`Internal error: the column ${name} was checked`);
  if (flag.kind === "boolean") {
    const meant = valueMeant(flag.shape, cell);
    if (typeof meant !== "boolean")
      throw new FileFault(`${name} was given as ${JSON.stringify(cell)}: expected true or false`, line);
    return [flag.property, meant];
  }
  const written = parseFlags(flags, [`--${flag.name}=${cell}`]);
  if (!written.ok) throw new FileFault(written.faults.join("; ").replace(/^--[\w-]+/, name), line);
  return [flag.property, written.value.options[flag.property]];
}

// Spreadsheets of some languages write semicolons.
function separatorOf(text: string): string {
  const [head = ""] = text.split(/\r?\n/, 1);
  if (head.includes(",")) return ",";
  if (head.includes(";")) return ";";
  return head.includes("\t") ? "\t" : ",";
}

/** RFC 4180: quotes hold separators, line breaks and doubled quotes. */
function rowsOf(text: string, separator: string): Row[] {
  const rows: Row[] = [];
  let line = 1;
  let row: Row = { cells: [], line };
  let cell = "";
  let quotedAt: number | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quotedAt !== undefined) {
      if (character === "\n") line++;
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else quotedAt = undefined;
    } else if (character === '"' && cell.trim() === "") {
      quotedAt = line;
      cell = "";
    } else if (character === separator) {
      row.cells.push(cell);
      cell = "";
    } else if (character === "\n") {
      line++;
      rows.push({ ...row, cells: [...row.cells, cell.replace(/\r$/, "")] });
      row = { cells: [], line };
      cell = "";
    } else cell += character;
  }
  if (quotedAt !== undefined) throw new FileFault("the quotes that open here are never closed", quotedAt);
  return cell === "" && row.cells.length === 0 ? rows : [...rows, { ...row, cells: [...row.cells, cell] }];
}
