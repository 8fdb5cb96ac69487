// The rows of the table of all tasks.
import { type ColumnKey, columns } from "../wire/columns.ts";
import { ids, rowId, taskOfRow } from "../wire/marks.ts";
import { byId, fragment } from "./elements.ts";
import { morph } from "./morph.ts";

export const table = byId(ids.table, HTMLTableElement);

const body = table.tBodies[0] ?? table.createTBody();
const rows = new Map<number, { row: HTMLTableRowElement; html?: string }>();
for (const row of body.rows) rows.set(taskOfRow(row.id) ?? 0, { row });

export function rowCount(): number {
  return rows.size;
}

export function rowOf(task: number): HTMLTableRowElement | undefined {
  return rows.get(task)?.row;
}

/** All rows with their tasks, in task order. */
export function taskRows(): { task: number; row: HTMLTableRowElement }[] {
  return [...rows].map(([task, { row }]) => ({ task, row }));
}

/** How many rows have this class. */
export function countOf(className: string): number {
  return body.getElementsByClassName(className).length;
}

/** The head cells of the columns. */
export function headCells(): { head: HTMLTableCellElement; key: ColumnKey }[] {
  const heads = table.tHead?.rows[0]?.cells ?? [];
  return columns.flatMap(({ key }, index) => (heads[index] ? [{ head: heads[index], key }] : []));
}

export function cellOf(row: HTMLTableRowElement, column: ColumnKey): HTMLTableCellElement | undefined {
  return row.cells[columns.findIndex(({ key }) => key === column)];
}

export function statusOf(row: HTMLTableRowElement): string {
  return cellOf(row, "status")?.textContent ?? "";
}

/** A task's label, without the match of a search. */
export function labelOf(row: HTMLTableRowElement): string {
  return cellOf(row, "prompt")?.firstChild?.textContent ?? "";
}

/** Sorts the rows. Does not move those in the right place. */
export function arrange(ordered: readonly HTMLTableRowElement[]): void {
  let at = body.firstElementChild;
  for (const row of ordered) {
    if (row === at) at = at.nextElementSibling;
    else body.insertBefore(row, at);
  }
}

/** Applies rows that may have changed, in task order; returns whether any has. */
export function updateRows(given: readonly (readonly [task: number, html: string])[]): boolean {
  const added = addRows(given.filter(([task]) => task > rows.size));
  const changed = given.flatMap(([task, html]) => {
    const known = rows.get(task);
    return known && known.html !== html ? [{ task, known, html }] : [];
  });
  const fresh = [...fragment(changed.map(({ html }) => html).join("")).children];
  for (const [index, { task, known, html }] of changed.entries()) {
    const next = fresh[index];
    if (next) morph(known.row, next);
    const row = document.getElementById(rowId(task));
    if (row instanceof HTMLTableRowElement) known.row = row;
    known.html = html;
  }
  return changed.length > 0 || added;
}

// Sessions for a summary are added behind the others.
function addRows(given: readonly (readonly [task: number, html: string])[]): boolean {
  const fresh = [...fragment(given.map(([, html]) => html).join("")).children];
  for (const [index, row] of fresh.entries()) {
    const [task, html] = given[index] ?? [];
    if (!(row instanceof HTMLTableRowElement) || task === undefined || html === undefined) continue;
    body.append(row);
    rows.set(task, { row, html });
  }
  return given.length > 0;
}
