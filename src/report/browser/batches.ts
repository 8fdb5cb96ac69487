// The script of the list of all batches: search, filters, and changes as they come.
import { numberText } from "../amounts.ts";
import type { BatchesChange } from "../wire/feed.ts";
import { batchRowId, data, ids } from "../wire/marks.ts";
import { byId, fragment, put } from "./elements.ts";
import { hear } from "./events.ts";
import { showLocalTimes } from "./local-times.ts";
import { morph, morphChildren } from "./morph.ts";

const table = byId(ids.batches, HTMLTableElement);
const body = table.tBodies[0] ?? table.createTBody();
const search = byId(ids.search, HTMLInputElement);
const chips = document.querySelectorAll<HTMLButtonElement>(`[data-${data.show}]`);
let shows = "";

recall();
showLocalTimes();
for (const chip of chips)
  chip.addEventListener("click", () => {
    shows = chip.dataset[data.show] ?? "";
    narrowed();
  });
search.addEventListener("input", narrowed);
window.addEventListener("hashchange", () => {
  recall();
  applyChoice();
});
applyChoice();
hear<BatchesChange>(take);

function take({ totals, all, rows }: BatchesChange): void {
  morphChildren(byId(ids.totals, HTMLElement), fragment(totals));
  if (all) {
    const there = new Set(all.map(batchRowId));
    for (const row of [...body.rows]) if (!there.has(row.id)) row.remove();
  }
  for (const [batchId, html] of rows) takeRow(batchRowId(batchId), html);
  showLocalTimes();
  applyChoice();
}

function takeRow(id: string, html: string): void {
  const fresh = fragment(html).firstElementChild;
  if (!(fresh instanceof HTMLTableRowElement)) return;
  const known = document.getElementById(id);
  if (known) morph(known, fresh);
  // The newest ones are above.
  else body.insertBefore(fresh, [...body.rows].find((row) => createdAt(row) < createdAt(fresh)) ?? null);
}

function createdAt(row: HTMLTableRowElement): number {
  return Number(row.dataset[data.created]);
}

function narrowed(): void {
  const words = new URLSearchParams();
  if (search.value) words.set("q", search.value);
  if (shows) words.set("show", shows);
  history.replaceState(null, "", `#${words}`);
  applyChoice();
  put(byId(ids.said, HTMLElement), byId(ids.shown, HTMLElement).textContent || "All batches shown.");
}

// The choice is in the address, so that "back" and a bookmark restore it.
function recall(): void {
  const words = new URLSearchParams(location.hash.slice(1));
  search.value = words.get("q") ?? "";
  const show = words.get("show") ?? "";
  shows = [...chips].some((chip) => chip.dataset[data.show] === show) ? show : "";
}

function applyChoice(): void {
  const wanted = search.value.trim().toLowerCase();
  const counts = new Map<string, number>();
  let shown = 0;
  for (const row of body.rows) {
    const stands = row.dataset[data.stands] ?? "";
    counts.set(stands, (counts.get(stands) ?? 0) + 1);
    const fits = (shows === "" || shows === stands) && row.textContent.toLowerCase().includes(wanted);
    if (row.hidden === fits) row.hidden = !fits;
    if (fits) shown++;
  }
  const all = body.rows.length;
  put(
    byId(ids.shown, HTMLElement),
    shown === all ? "" : `${numberText(shown)} of ${numberText(all)} batches`,
  );
  byId(ids.nothing, HTMLElement).hidden = shown > 0 || all === 0;
  for (const one of [byId(ids.tools, HTMLElement), table]) one.hidden = all === 0;
  byId(ids.none, HTMLElement).hidden = all > 0;
  for (const chip of chips) {
    const show = chip.dataset[data.show] ?? "";
    const count = show === "" ? all : (counts.get(show) ?? 0);
    chip.setAttribute("aria-pressed", String(show === shows));
    put(chip.lastElementChild, numberText(count));
    chip.hidden = show !== "" && count === 0 && show !== shows;
  }
}
