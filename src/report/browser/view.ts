// Applies the reader's choice and sort order to the table.
import { numberText } from "../amounts.ts";
import { type ColumnKey, downSuffix, filters } from "../wire/columns.ts";
import { data, ids } from "../wire/marks.ts";
import { choice, isSorted } from "./choice.ts";
import { byId, put, refocus } from "./elements.ts";
import { ranked } from "./ordered.ts";
import { arrange, cellOf, headCells, labelOf, rowCount, statusOf, type TaskRow, taskRows } from "./rows.ts";
import { hitIn, isIn, queryOf, reach } from "./search.ts";

/** All rows in the chosen order. */
let ordered: readonly TaskRow[] = taskRows();
/** Those that do not match search and filter. */
let hidden = new Set<HTMLTableRowElement>();
/** The rows that show where a search has found its words. */
let withHit: HTMLTableRowElement[] = [];

/** Shows the rows that match search and filter, and their number. */
export function applyChoice(): void {
  const query = queryOf(choice.q);
  const wanted = classesOf(choice.show);
  const counts = new Map<string, number>();
  hidden = new Set();
  for (const row of withHit) row.querySelector(".hit")?.remove();
  withHit = [];
  for (const { task, row } of taskRows()) {
    const { className } = row;
    counts.set(className, (counts.get(className) ?? 0) + 1);
    const isWanted = !wanted || wanted.has(className);
    const isSeen = !query || (isWanted && isIn(row.textContent, query));
    const hit = isWanted && !isSeen ? hitIn(task, query) : undefined;
    if (hit) {
      cellOf(row, "prompt")?.append(hit);
      withHit.push(row);
    }
    if (!isWanted || (!isSeen && !hit)) hidden.add(row);
  }
  if (!isSorted()) ordered = taskRows();
  place();
  const unreached = query ? reach() : "";
  const note = byId(ids.reach, HTMLElement);
  put(note, unreached);
  note.hidden = unreached === "";
  const all = rowCount();
  const shown = all - hidden.size;
  put(byId(ids.shown, HTMLElement), shown === all ? "" : `${numberText(shown)} of ${numberText(all)}`);
  byId(ids.nothing, HTMLElement).hidden = shown > 0;
  for (const chip of showChips()) countInto(chip, counts);
}

/** Sorts the rows by the chosen order. */
export function applyOrder(): void {
  const orderOf = orders[choice.sort];
  const turn = choice.isDown ? -1 : 1;
  const rows = taskRows();
  const ranks = ranked(rows.map(({ task, row }) => orderOf(row, task)));
  const valued = rows.map((one, index) => ({ one, rank: ranks[index] ?? 0 }));
  valued.sort((a, b) => (a.rank - b.rank) * turn || a.one.task - b.one.task);
  ordered = valued.map(({ one }) => one);
  place();
  for (const { head, key } of headCells()) {
    if (key === choice.sort) head.setAttribute("aria-sort", choice.isDown ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  const order = byId(ids.order, HTMLSelectElement);
  order.value = `${choice.sort}${choice.isDown ? downSuffix : ""}`;
  if (order.selectedIndex < 0) order.value = choice.sort;
}

function place(): void {
  const shown: HTMLTableRowElement[] = [];
  const others: HTMLTableRowElement[] = [];
  for (const { row } of ordered) (hidden.has(row) ? others : shown).push(row);
  const focus = document.activeElement;
  arrange(shown, others);
  refocus(focus);
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

/** `counts`: how many rows have which class. */
function countInto(chip: HTMLElement, counts: ReadonlyMap<string, number>): void {
  const show = chip.dataset[data.show] ?? "";
  chip.setAttribute("aria-pressed", String(show === choice.show));
  const classes = classesOf(show);
  const count = classes ? [...classes].reduce((sum, name) => sum + (counts.get(name) ?? 0), 0) : rowCount();
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
