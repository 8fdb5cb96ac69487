// What the page of a batch does by itself, whether it is a file or served: the reader's view of the table of all tasks.
import { taskOfRow } from "../wire/marks.ts";
import { isSorted } from "./choice.ts";
import { recallChoice, takeControls } from "./controls.ts";
import { takeCopyButtons } from "./copy-buttons.ts";
import { takeDataTable } from "./data-table.ts";
import { showLocalTimes } from "./local-times.ts";
import { rowOf } from "./rows.ts";
import { nameScrollers } from "./scrollers.ts";
import { listenForTexts } from "./search.ts";
import { takeTimeline } from "./timeline.ts";
import { applyOrder, reveal } from "./view.ts";

export function showPage(): void {
  showLocalTimes();
  takeCopyButtons();
  listenForTexts();
  takeControls();
  recallChoice();
  if (isSorted()) applyOrder();
  takeDataTable();
  takeTimeline();
  nameScrollers(".answer pre, .wide");
  window.addEventListener("hashchange", () => {
    recallChoice();
    applyOrder();
    const row = rowOf(taskOfRow(location.hash.slice(1)) ?? 0);
    const wasOut = row?.hidden === true;
    reveal(row);
    // Only what is in the page can be its target.
    if (wasOut) location.replace(location.hash);
  });
}
