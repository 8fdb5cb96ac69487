// Sorts the table of answers by a click on a head.
import { ids, partId } from "../wire/marks.ts";
import { say } from "./announcements.ts";
import { byId, refocus } from "./elements.ts";
import { ranked } from "./ordered.ts";

/** The column by which it is sorted, and whether the greatest come first. */
let sorted: { column: number; isDown: boolean } | undefined;

/** Makes the heads sort the table, now and after each update of the page. */
export function takeDataTable(): void {
  byId(partId("data"), HTMLElement).addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest(`#${ids.data} thead button`) : undefined;
    const head = button?.parentElement;
    if (!(head instanceof HTMLTableCellElement)) return;
    const column = head.cellIndex;
    sorted = { column, isDown: sorted?.column === column && !sorted.isDown };
    keepDataOrder();
    say(`Sorted by ${head.textContent}${sorted.isDown ? ", descending" : ""}.`);
  });
}

/** Sorts the table as before an update. */
export function keepDataOrder(): void {
  const table = document.getElementById(ids.data);
  const body = table instanceof HTMLTableElement ? table.tBodies[0] : undefined;
  if (!(table instanceof HTMLTableElement) || !body || !sorted) return;
  const { column, isDown } = sorted;
  const turn = isDown ? -1 : 1;
  const rows = [...body.rows];
  const ranks = ranked(rows.map((row) => cellValue(row.cells[column]?.textContent ?? "")));
  const valued = rows.map((row, index) => ({ row, rank: ranks[index] ?? 0 }));
  valued.sort((a, b) => (a.rank - b.rank) * turn);
  const focus = document.activeElement;
  body.append(...valued.map(({ row }) => row));
  refocus(focus);
  for (const [index, head] of [...(table.tHead?.rows[0]?.cells ?? [])].entries()) {
    if (index === column) head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

// Fields may hold numbers, of which some are negative.
function cellValue(text: string): number | string {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}
