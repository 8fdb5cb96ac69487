// Rows with named columns: of a CSV file, of a JSONL file, or given as objects.
import { messageOf } from "../../platform/system-error.ts";
import { cellsFault, declaredParts, rowsOf, separatorOf, withoutEmptyEnd } from "./csv-rows.ts";
import { FileFault, lineText } from "./file-fault.ts";
import type { Item } from "./item.ts";
import { listedLines } from "./listed-lines.ts";

/** A row, and where it stands: `line 3`. */
export interface NamedRow {
  columns: Record<string, string>;
  place: string;
}

/** The rows below the first, which names the columns. Empty rows are skipped. Throws `FileFault`. */
export function rowsOfCsv(given: string, separatorGiven?: string): NamedRow[] {
  const { text, separator: declared, first } = declaredParts(given);
  const separator = declared ?? separatorGiven ?? separatorOf(text);
  const [head, ...rows] = rowsOf(text, { separator, first });
  const names = withoutEmptyEnd(head?.cells ?? [], 0).map((name) => name.trim());
  if (names.length === 0) throw new FileFault("the first row must name the columns", first);
  for (const [index, name] of names.entries()) {
    if (name === "") throw new FileFault(`column ${index + 1} has no name`, first);
    if (names.indexOf(name) !== index) throw new FileFault(`the column \`${name}\` is there twice`, first);
  }
  return rows.flatMap(({ cells: written, line }): NamedRow[] => {
    if (written.every((cell) => cell.trim() === "")) return [];
    const cells = written.length > names.length ? withoutEmptyEnd(written, names.length) : written;
    // A row that is broken would shift its cells, or lack one.
    if (cells.length !== names.length) throw cellsFault(cells.length, names.length, separator, line);
    return [
      {
        columns: Object.fromEntries(names.map((name, index) => [name, (cells[index] ?? "").trim()])),
        place: lineText(line),
      },
    ];
  });
}

/** An object on each line; blank lines are skipped. Throws `FileFault`. */
export function rowsOfJsonLines(text: string): NamedRow[] {
  return [...listedLines(text)].map(({ line, number }) => {
    const value = parsed(line, number);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new FileFault("expected an object", number);
    return { columns: columnsIn(value), place: lineText(number) };
  });
}

/** The columns of an object: texts as they are, everything else as JSON, and nothing for `null`. */
export function columnsIn(value: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).map(([name, cell]: [string, unknown]) => [
      name,
      typeof cell === "string" ? cell : cell === null || cell === undefined ? "" : JSON.stringify(cell),
    ]),
  );
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new FileFault(`no JSON (${messageOf(error)})`, number);
  }
}

/** Columns that are the key of a row where nothing else was said. */
const usualIds = ["id", "key"];

/**
 * The rows as items. Their key is `idColumn`, else a column `id` or `key`, else the place of the row. `fault`: the first
 * row without the column.
 */
export function itemsOfRows(
  rows: readonly NamedRow[],
  { idColumn, name }: { idColumn: string | undefined; name: string },
): { items: Item[]; fault?: NamedRow } {
  const items: Item[] = [];
  const id = idColumn ?? usualIds.find((one) => rows.every(({ columns }) => Object.hasOwn(columns, one)));
  for (const row of rows) {
    const { columns, place } = row;
    const written = id === undefined ? undefined : columns[id]?.trim();
    if (id !== undefined && !written) return { items, fault: row };
    const key = written ?? place.replace(" ", "-");
    items.push({
      key,
      values: { key, ...columns },
      place: name === "" ? place : `${name}, ${place}`,
      size: () => Object.values(columns).reduce((sum, cell) => sum + cell.length, 0),
    });
  }
  return { items };
}
