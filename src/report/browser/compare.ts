// The script of the page of a comparison: filters, search, folding, printing.
import { data, ids } from "../wire/marks.ts";
import { byId, put } from "./elements.ts";
import { showLocalTimes } from "./local-times.ts";
import { unfoldForPrinting } from "./printing.ts";
import { nameScrollers } from "./scrollers.ts";

showLocalTimes();
unfoldForPrinting();
nameScrollers();
const tools = document.getElementById(ids.tools);
if (tools) takeTools(tools);

function takeTools(tools: HTMLElement): void {
  const tasks = [...document.querySelectorAll<HTMLDetailsElement>(`#${ids.compared} > details`)];
  const chips = [...tools.querySelectorAll<HTMLButtonElement>(`[data-${data.show}]`)];
  const search = byId(ids.search, HTMLInputElement);
  let wanted = "";

  const apply = () => {
    const words = search.value.trim().toLowerCase();
    let shown = 0;
    for (const task of tasks) {
      const isShown =
        (wanted === "" || task.dataset[data.change] === wanted) &&
        (words === "" || task.textContent.toLowerCase().includes(words));
      task.hidden = !isShown;
      if (isShown) shown++;
    }
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset[data.show] === wanted));
    put(byId(ids.shown, HTMLElement), shown === tasks.length ? "" : `${shown} of ${tasks.length} shown`);
    byId(ids.nothing, HTMLElement).hidden = shown > 0;
  };
  for (const chip of chips)
    chip.addEventListener("click", () => {
      wanted = chip.dataset[data.show] ?? "";
      apply();
    });
  search.addEventListener("input", apply);
  const foldAll = (id: string, open: boolean) =>
    byId(id, HTMLButtonElement).addEventListener("click", () => {
      for (const task of tasks) if (!task.hidden) task.open = open;
    });
  foldAll(ids.unfold, true);
  foldAll(ids.fold, false);
  tools.hidden = false;
}
