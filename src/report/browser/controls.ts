// The controls of the table of all tasks: search, filters and sort order. Hidden in the page, because they need a script.
import { downSuffix } from "../wire/columns.ts";
import { data, ids } from "../wire/marks.ts";
import { say } from "./announcements.ts";
import { type Choice, choice, columnOf, recall, remember } from "./choice.ts";
import { byId } from "./elements.ts";
import { headCells } from "./rows.ts";
import { load } from "./search.ts";
import { applyChoice, applyOrder, showChips } from "./view.ts";

/** Activates the controls, and shows them. */
export function takeControls(): void {
  for (const { head, key } of headCells()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.dataset["sort"] = key;
    button.addEventListener("click", () => {
      // For times and costs, the greatest are most interesting.
      const isDown = choice.sort === key ? !choice.isDown : key === "duration" || key === "cost";
      sortBy({ sort: key, isDown });
    });
  }
  for (const chip of showChips())
    chip.addEventListener("click", () => narrow({ show: chip.dataset[data.show] ?? "" }));
  const search = byId(ids.search, HTMLInputElement);
  search.addEventListener("input", () => narrow({ q: search.value }));
  // Loads the texts before the first word is typed.
  search.addEventListener("focus", () => load(textsCame));
  const order = byId(ids.order, HTMLSelectElement);
  order.addEventListener("change", () => {
    const isDown = order.value.endsWith(downSuffix);
    sortBy({ sort: columnOf(isDown ? order.value.slice(0, -downSuffix.length) : order.value), isDown });
  });
  byId(ids.tools, HTMLElement).hidden = false;
}

/** Shows the tasks chosen in the address. */
export function recallChoice(): void {
  recall();
  byId(ids.search, HTMLInputElement).value = choice.q;
  applyChoice();
  lookForTexts();
}

/** Loads the searched texts, if a search needs them and they are not loaded yet. */
export function lookForTexts(): void {
  if (choice.q.trim() !== "") load(textsCame);
}

// The choice stays, and the address with it: a reader may be about to go to another one. Texts that come again while the
// batch runs are no news, and must not be said in the place of some, such as its end.
function textsCame(isFirst: boolean): void {
  if (choice.q.trim() === "") return;
  if (isFirst) {
    applyNarrowed();
    return;
  }
  applyChoice();
  lookForTexts();
}

function narrow(change: Partial<Pick<Choice, "q" | "show">>): void {
  Object.assign(choice, change);
  remember();
  applyNarrowed();
}

function applyNarrowed(): void {
  applyChoice();
  lookForTexts();
  say(shownText());
}

function sortBy(change: Pick<Choice, "sort" | "isDown">): void {
  Object.assign(choice, change);
  remember();
  applyOrder();
  say(`Sorted by ${choice.sort}${choice.isDown ? ", descending" : ""}. ${shownText()}`);
}

function shownText(): string {
  const shown = byId(ids.shown, HTMLElement).textContent;
  return shown ? `${shown} tasks shown.` : "All tasks shown.";
}
