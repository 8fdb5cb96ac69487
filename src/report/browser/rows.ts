// The rows of the table of all tasks.
import { type ColumnKey, columns, fullBodyClass, rowsPerBody } from "../wire/columns.ts";
import { ids, rowId, taskOfRow } from "../wire/marks.ts";
import { byId, fragment } from "./elements.ts";
import { morph } from "./morph.ts";

export const table = byId(ids.table, HTMLTableElement);

/** A task and its row. */
export interface TaskRow {
  task: number;
  row: HTMLTableRowElement;
}

const rows = new Map<number, TaskRow & { html?: string | undefined }>();
/** The bodies of the table, with their rows in order. */
let bodies = [...table.tBodies].map((body) => ({ body, rows: [...body.rows] }));
for (const row of bodies.flatMap((one) => one.rows)) {
  const task = taskOfRow(row.id) ?? 0;
  rows.set(task, { task, row });
}

export function rowCount(): number {
  return rows.size;
}

export function rowOf(task: number): HTMLTableRowElement | undefined {
  return rows.get(task)?.row;
}

/** All rows with their tasks, in task order. */
export function taskRows(): TaskRow[] {
  return [...rows.values()];
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

/**
 * Puts the shown rows into the bodies of the table, in their order, and takes the hidden ones out of the page: to move thousands
 * of rows within it takes long. A body that keeps its rows stays; another one is a new element, because a browser remembers the
 * height of an old one.
 */
export function arrange(shown: readonly HTMLTableRowElement[], hidden: readonly HTMLTableRowElement[]): void {
  const wanted = Array.from({ length: Math.ceil(shown.length / rowsPerBody) }, (_, index) =>
    shown.slice(index * rowsPerBody, (index + 1) * rowsPerBody),
  );
  const kept = wanted.map((own, index) => {
    const before = bodies[index];
    const isSame =
      before?.rows.length === own.length && own.every((row, place) => row === before.rows[place]);
    return isSame ? before : undefined;
  });
  for (const [index, one] of bodies.entries()) if (one !== kept[index]) one.body.remove();
  for (const row of hidden) row.hidden = true;
  bodies = wanted.map((own, index) => kept[index] ?? { body: newBody(own), rows: own });
  for (const [index, { body }] of bodies.entries())
    if (table.tBodies[index] !== body) table.insertBefore(body, table.tBodies[index] ?? null);
}

function newBody(own: readonly HTMLTableRowElement[]): HTMLTableSectionElement {
  const body = document.createElement("tbody");
  if (own.length === rowsPerBody) body.className = fullBodyClass;
  for (const row of own) if (row.hidden) row.hidden = false;
  body.append(...own);
  return body;
}

/** The rows of the page are these: parsing thousands of them only to find that out would hold up the reader. */
export function knowRows(given: readonly (readonly [task: number, html: string])[]): void {
  for (const [task, html] of given) {
    const known = rows.get(task);
    if (known) known.html ??= html;
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

// Sessions for a summary are added behind the others. They are put into the table when it is arranged.
function addRows(given: readonly (readonly [task: number, html: string])[]): boolean {
  const fresh = [...fragment(given.map(([, html]) => html).join("")).children];
  for (const [index, row] of fresh.entries()) {
    const [task, html] = given[index] ?? [];
    if (!(row instanceof HTMLTableRowElement) || task === undefined || html === undefined) continue;
    rows.set(task, { task, row, html });
  }
  return given.length > 0;
}
