// Applies the reader's choice and sort order to the table.
import { numberText } from "../amounts.ts";
import { type ColumnKey, downSuffix, filters } from "../wire/columns.ts";
import { data, ids } from "../wire/marks.ts";
import { choice } from "./choice.ts";
import { byId, put, refocus } from "./elements.ts";
import { compared } from "./ordered.ts";
import { arrange, cellOf, countOf, headCells, labelOf, rowCount, statusOf, taskRows } from "./rows.ts";
import { hitIn, isIn, queryOf, reach } from "./search.ts";

/** Shows the rows that match search and filter, and their number. */
export function applyChoice(): void {
  const query = queryOf(choice.q);
  const wanted = classesOf(choice.show);
  let shown = 0;
  for (const { task, row } of taskRows()) {
    row.querySelector(".hit")?.remove();
    const isWanted = !wanted || wanted.has(row.className);
    const isSeen = !query || isIn(row.textContent, query);
    const hit = isWanted && !isSeen ? hitIn(task, query) : undefined;
    if (hit) cellOf(row, "prompt")?.append(hit);
    const fits = isWanted && (isSeen || hit !== undefined);
    if (row.hidden === fits) row.hidden = !fits;
    if (fits) shown++;
  }
  const unreached = query ? reach() : "";
  const note = byId(ids.reach, HTMLElement);
  put(note, unreached);
  note.hidden = unreached === "";
  const all = rowCount();
  put(byId(ids.shown, HTMLElement), shown === all ? "" : `${numberText(shown)} of ${numberText(all)}`);
  byId(ids.nothing, HTMLElement).hidden = shown > 0;
  for (const chip of showChips()) countInto(chip);
}

/** Sorts the rows by the chosen order. */
export function applyOrder(): void {
  const orderOf = orders[choice.sort];
  const turn = choice.isDown ? -1 : 1;
  const valued = taskRows().map(({ task, row }) => ({ task, row, value: orderOf(row, task) }));
  valued.sort((a, b) => compared(a.value, b.value) * turn || a.task - b.task);
  const focus = document.activeElement;
  arrange(valued.map(({ row }) => row));
  refocus(focus);
  for (const { head, key } of headCells()) {
    if (key === choice.sort) head.setAttribute("aria-sort", choice.isDown ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  const order = byId(ids.order, HTMLSelectElement);
  order.value = `${choice.sort}${choice.isDown ? downSuffix : ""}`;
  if (order.selectedIndex < 0) order.value = choice.sort;
}

/** Scrolls to a row. If the filter hides it, shows all rows. */
export function reveal(row: HTMLTableRowElement | undefined): void {
  if (row?.hidden) {
    Object.assign(choice, { q: "", show: "" });
    byId(ids.search, HTMLInputElement).value = "";
    applyChoice();
  }
  row?.scrollIntoView({ block: "center" });
}

/** The filter buttons of the table. */
export function showChips(): NodeListOf<HTMLElement> {
  return document.querySelectorAll<HTMLElement>(`[data-${data.show}]`);
}

function countInto(chip: HTMLElement): void {
  const show = chip.dataset[data.show] ?? "";
  chip.setAttribute("aria-pressed", String(show === choice.show));
  const classes = classesOf(show);
  const count = classes ? [...classes].reduce((sum, name) => sum + countOf(name), 0) : rowCount();
  put(chip.lastElementChild, numberText(count));
  chip.hidden = classes !== undefined && count === 0 && show !== choice.show;
}

function classesOf(show: string): ReadonlySet<string> | undefined {
  const classes = filters.find((filter) => filter.show === show)?.classes;
  return classes && new Set(classes);
}

// Sort keys. A task without a duration or cost yet comes before all others.
const orders: Record<ColumnKey, (row: HTMLTableRowElement, task: number) => number | string> = {
  task: (_, task) => task,
  prompt: labelOf,
  status: statusOf,
  duration: (row) => Number(row.dataset[data.lasted] ?? -1),
  cost: (row) => Number(row.dataset[data.cost] ?? -1),
};
